#pragma once
/*
 * audit-record: the text of one of the kernel's seccomp records (AUDIT_SECCOMP, type 1326).
 */
#include <stddef.h>
#include <stdint.h>

#define AUDIT_RECORD_MAX 8970 /* bytes: MAX_AUDIT_MESSAGE_LENGTH of linux/audit.h */

typedef struct AuditRecord {
        uint64_t msec; /* since 1970, of the kernel's coarse clock */
        uint32_t uid;  /* real, as the host numbers users */
        int32_t pid;   /* of the process, not the thread, as the host numbers them */
        int32_t signal;
        uint32_t arch; /* AUDIT_ARCH_*: of the call */
        int32_t call;
        uint32_t code; /* the filter's answer, SECCOMP_RET_* without its data */
} AuditRecord;

/**
 * audit_record_parse() - read a record, strictly
 * @text: as it came, no NUL needed
 *
 * What a process chooses (comm, exe) is quoted or in hexadecimal, without a blank: it cannot look like a field.
 * A record in which a field is missing, twice there or no number is refused.
 *
 * Returns: 0, or -EBADMSG.
 * Source:  kernel/auditsc.c, audit_seccomp() and audit_log_task(), Linux 3.16 to 6.18.
 */
int audit_record_parse(const char *text, size_t n, AuditRecord *ret);

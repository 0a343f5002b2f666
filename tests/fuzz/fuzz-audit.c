/*
 * audit: the text of a seccomp record of the kernel's, in which a program chooses its name and its path. What is
 * taken stands in the text, and a record that is taken is taken again where it is written anew.
 *
 * Sources: kernel/auditsc.c and kernel/audit.c of Linux 6.18 for the form; seeds are records of this machine.
 */
#include "supervisor/front/commands/audit-record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void must(bool good) {
        if (!good)
                abort();
}

static void again(const AuditRecord *record) {
        AuditRecord other;
        char text[256];
        int n = snprintf(text, sizeof text,
                         "audit(%" PRIu64 ".%03" PRIu64 ":1): uid=%u pid=%d comm=\"a\" sig=%d "
                         "arch=%x syscall=%d code=0x%x",
                         record->msec / 1000, record->msec % 1000, record->uid, record->pid,
                         record->signal, record->arch, record->call, record->code);

        must(audit_record_parse(text, (size_t) n, &other) == 0);
        must(other.msec == record->msec && other.uid == record->uid && other.pid == record->pid &&
             other.signal == record->signal && other.arch == record->arch &&
             other.call == record->call && other.code == record->code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AuditRecord record;
        char *text = malloc(size + 1); /* its end is where a read too far is seen */
        uint32_t uid;

        must(text);
        memcpy(text, data, size);
        if (audit_record_parse(text, size, &record) == 0) {
                text[size] = '\0';
                must(record.pid >= 0 && record.signal >= 0 && record.signal <= 64);
                uid = record.uid;
                must(memmem(text, size, "uid=", 4) && memmem(text, size, "code=0x", 7));
                again(&record);
                must(uid == record.uid);
        }
        free(text);
        return 0;
}

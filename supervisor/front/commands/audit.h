#pragma once
/*
 * audit: whom a seccomp filter killed, by the kernel's own records.
 */
#include "supervisor/front/commands/audit-record.h"
#include "supervisor/front/front.h"

typedef struct AuditWait AuditWait;
typedef struct AuditRing AuditRing; /* the newest records of one jail's ids; made with the first */

/** audit_new() - over netlink descriptor @fd, borrowed; negative: there is none, and nothing is ever known */
int audit_new(Front *front, int fd, Audit **ret, Error *err);
/** audit_start() - see whether records come; once the front's filter is on, which makes the marks */
void audit_start(Audit *audit);
/** audit_free() - nobody who waits is told. Returns: NULL */
Audit *audit_free(Audit *audit);
DEFINE_SCOPED(Audit *, audit_free);

/** audit_state() - "works"; "missing": no socket; "silent": the kernel's records do not come; "unknown": just begun */
const char *audit_state(const Audit *audit);

/** AuditDoneFn - once, from the loop: what was recorded before the wait began has been read, or never comes; the
 * wait is gone then */
typedef void (*AuditDoneFn)(void *userdata);

/** audit_await() - have all records read that are older than this call. Returns: 0, or negative: it cannot be done */
int audit_await(Audit *audit, AuditDoneFn done, void *userdata, AuditWait **ret);
/** audit_forget() - @done will not be called; NULL is fine. Returns: NULL */
AuditWait *audit_forget(AuditWait *wait);

/**
 * audit_find() - was a process of these ids killed by a filter?
 * @pid:  as the host numbers it
 * @msec: of units_coarse_msec(): an older record is of an earlier process with this number
 *
 * Returns: whether there is a record; @ret is written then.
 */
bool audit_find(const AuditRing *ring, int32_t pid, uint64_t msec, AuditRecord *ret);

/** audit_clock() - now, in milliseconds, on the clock of the records */
uint64_t audit_clock(void);

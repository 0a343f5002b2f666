#pragma once
/*
 * causes: why a command ended. A limit is the cause only if the command failed, the kernel's counter for
 * that limit rose, and the rise was this command's; a bare signal, SIGKILL and SIGSYS included, is
 * `signaled`. SIGSYS is `seccomp` where the kernel recorded that a filter killed this very process.
 */
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/front/commands/audit-record.h"
#include "supervisor/wire.h"

typedef enum Cause {
        CAUSE_EXITED = 0,
        CAUSE_SIGNALED,
        CAUSE_WALL_TIMEOUT,
        CAUSE_CPU_TIMEOUT,
        CAUSE_OOM,
        CAUSE_PIDS_LIMIT,
        CAUSE_DISK_LIMIT,
        CAUSE_OUTPUT_LIMIT,
        CAUSE_SECCOMP,
        CAUSE_KILLED_BY_CLIENT,
        CAUSE_JAIL_ENDED,
        CAUSE_SUPERVISOR_LOST,
        CAUSE_NOT_STARTED,
        _CAUSE_MAX,
} Cause;

typedef enum Hit {
        HIT_MEMORY = 0,
        HIT_PIDS,
        HIT_DISK,
        HIT_INODES,
        HIT_WALL,
        HIT_CPU,
        HIT_OUTPUT,
        HIT_SOCKETS, /* what its jail's connections held and no group is charged with: uncounted.h */
        HIT_LOCKS,   /* its jail held more locks of files than any program needs, likewise */
        _HIT_MAX
} Hit;

typedef struct CommandEnd { /* the record; borrowed by the callback's receiver */
        Cause cause;
        int code;          /* exit code, or -errno where not started */
        int signal;        /* 0: none */
        uint32_t step;     /* InitStep where not started */
        uint32_t hits;     /* BIT(Hit): limits whose counter rose */
        uint32_t proved;   /* of them: nobody but this command can have made it rise */
        bool others;       /* something else was in the jail while it ran */
        bool own_counters; /* memory and pids were counted for it alone (a narrow slot) */
        bool gave_up;      /* the jail's init ended by itself: it had lost its spawner */
        bool disk_before;  /* the disk was full when it began */
        bool left;     /* something that it started may live on: init saw it, or could not say */
        bool filtered; /* the kernel recorded that a seccomp filter killed its process */
        AuditRecord killed; /* that record */
        uint64_t oom_kills, forks_refused;
        uint64_t uncounted; /* HIT_SOCKETS: bytes, at most; HIT_LOCKS: at least */
        uint64_t wall_usec, user_usec, sys_usec;
        uint64_t frozen_usec; /* of wall_usec, how long its jail stood still */
        uint64_t memory_peak, memory_files, pids_peak; /* 0: not known */
        uint64_t io_read, io_written;
        uint64_t seen[2], kept[2], cut_at[2];
        int output[2]; /* sealed memfds of captured streams, -EBADF; owned by the command */
} CommandEnd;

/** cause_is_limit() - did a limit end it */
bool cause_is_limit(Cause cause);
/** cause_name() - "wall_timeout" */
const char *cause_name(Cause cause);
/** hit_name() - "memory" */
const char *hit_name(Hit hit);
/** init_step_name() - "exec": where a command that was not started failed */
const char *init_step_name(uint32_t step);

/**
 * cause_decide() - fill cause, code, signal, step and the rest that init reports
 * @end:    what evidence_end() sets is set already; the rest is filled
 * @event:  INIT_ENDED, NULL where the jail ended first
 * @ordered: why the front ended it: a time limit, the output limit, killed_by_client; _CAUSE_MAX: it did not
 */
void cause_decide(CommandEnd *end, const InitEvent *event, Cause ordered);

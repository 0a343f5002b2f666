#pragma once
/*
 * commands: one command in a jail, from the request to its record. The front keeps its time limits,
 * reads the kernel's counters before and after, and names the cause of its end.
 */
#include "supervisor/front/jails.h"

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

/** cause_name() - "wall_timeout" */
const char *cause_name(Cause cause);

typedef struct CommandSpec {     /* all borrowed for the call; descriptors are duplicated */
        const char *const *argv; /* NULL-terminated */
        const char *const *env;  /* "NAME=value", NULL-terminated; NULL: the default environment */
        const char *cwd;         /* NULL: /work where there is one, else / */
        uint32_t uid, gid;
        uint32_t stdio[3]; /* StdioKind */
        int fds[3];        /* where STDIO_FD */
        int binary_fd;     /* >= 0: the program itself */
        int fd3;           /* >= 0: becomes 3 */
        bool tty;
        uint64_t wall_usec;   /* 0: the jail's default */
        uint64_t cpu_usec;    /* 0: likewise */
        uint64_t output_keep; /* 0: likewise */
        uint64_t output_max;
} CommandSpec;

typedef struct CommandEnd { /* the record; borrowed by the callback's receiver */
        Cause cause;
        int code;      /* exit code, or -errno where not started */
        int signal;    /* 0: none */
        uint32_t step; /* InitStep where not started */
        uint32_t hits; /* BIT(Hit): limits whose counter rose */
        uint64_t wall_usec, user_usec, sys_usec;
        uint64_t memory_peak, memory_files, pids_peak;
        uint64_t seen[2], kept[2], cut_at[2];
        int output[2]; /* sealed memfds of captured streams, -EBADF; owned by the command */
} CommandEnd;

typedef enum Hit {
        HIT_MEMORY = 0,
        HIT_PIDS,
        HIT_DISK,
        HIT_INODES,
        HIT_WALL,
        HIT_CPU,
        HIT_OUTPUT,
        _HIT_MAX
} Hit;
/** hit_name() - "memory" */
const char *hit_name(Hit hit);

/** CommandDoneFn - exactly once; @command is freed after it returns */
typedef void (*CommandDoneFn)(Command *command, const CommandEnd *end, void *userdata);

/** command_start() - run it. Returns: 0 and @done will be called; negative errno: it will not */
int command_start(FrontJail *jail, const CommandSpec *spec, CommandDoneFn done, void *userdata,
                  Command **ret, Error *err);
/** command_signal() - to its process group */
int command_signal(Command *command, int signal, Error *err);
/** command_kill() - end everything that it started; its cause becomes @cause */
void command_kill(Command *command, Cause cause);
/** command_id() - "c-…", borrowed */
const char *command_id(const Command *command);
/** command_record() - the RECORD object of the protocol, output text included where captured; NULL: no memory */
cJSON *command_record(const Command *command, const CommandEnd *end);
/** command_output() - captured text (stream 0 or 1) as valid UTF-8 with a marker where bytes are missing; free() */
char *command_output(const CommandEnd *end, unsigned stream);

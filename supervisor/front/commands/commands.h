#pragma once
/*
 * commands: one command in a jail, from the request to its record. The front keeps its time limits,
 * reads the kernel's counters before and after, and names the cause of its end.
 */
#include "supervisor/front/commands/causes.h"
#include "supervisor/front/commands/command-record.h"
#include "supervisor/front/jails/jails.h"

#define COMMANDS_PER_JAIL_MAX JAIL_SLOTS_MAX

typedef struct CommandSpec {     /* all borrowed for the call; descriptors are duplicated */
        const char *const *argv; /* NULL-terminated */
        const char *const *env;  /* "NAME=value", NULL-terminated; NULL: the default environment */
        const char *cwd;         /* NULL: /work where there is one, else / */
        uint32_t uid, gid;
        uint32_t stdio[3]; /* StdioKind */
        int fds[3];        /* where STDIO_FD */
        int binary_fd;     /* >= 0: the program itself; beware of 0: -EBADF where there is none */
        int fd3;           /* >= 0: becomes 3; likewise */
        bool tty;
        bool pty;              /* with tty: init makes the terminal and keeps its other end */
        InitTerminal terminal; /* with pty: how it begins */
        bool copy;             /* argv is init/copy.h's or connect.h's: nothing runs */
        bool alone;            /* what it leaves running ends with it */
        bool last;             /* the jail ends with it: no child is parked for another */
        uint64_t wall_usec;    /* 0: the jail's default */
        uint64_t cpu_usec;     /* 0: likewise */
        uint64_t output_keep;  /* 0: likewise */
        uint64_t output_max;   /* 0: likewise */
        uint64_t nofile;       /* 0: likewise */
        uint64_t fsize;        /* 0: likewise */
        CommandLimits narrow;  /* 0: likewise; below the jail's: a slot with limits of its own */
} CommandSpec;

/** COMMAND_SPEC_EMPTY - the jail's user, no input, captured output, no descriptors */
#define COMMAND_SPEC_EMPTY                                                     \
        ((CommandSpec){ .uid = JAIL_USER_ID,                                   \
                        .gid = JAIL_USER_ID,                                   \
                        .stdio = { STDIO_NULL, STDIO_CAPTURE, STDIO_CAPTURE }, \
                        .fds = { -EBADF, -EBADF, -EBADF },                     \
                        .binary_fd = -EBADF,                                   \
                        .fd3 = -EBADF })

/** command_environment - what a command gets where nothing else is asked, NULL-terminated; no TERM */
extern const char *const command_environment[];

/** CommandDoneFn - exactly once; @command is freed after it returns */
typedef void (*CommandDoneFn)(Command *command, const CommandEnd *end, void *userdata);

/** command_start() - run it. Returns: 0 and @done will be called; negative errno: it will not */
int command_start(FrontJail *jail, const CommandSpec *spec, CommandDoneFn done, void *userdata,
                  Command **ret, Error *err);
/** command_signal() - to its process group; where it does not run yet, when it does */
int command_signal(Command *command, int signal, Error *err);
/** command_kill() - end everything that it started; its cause becomes @cause */
void command_kill(Command *command, Cause cause);
/** command_id() - "c-…", borrowed */
const char *command_id(const Command *command);
/** command_number() - init's id of it; 0: init does not run it yet, or no more */
uint64_t command_number(const Command *command);
/** command_wall_left() - until a limit of time, its own or its jail's, ends it. Returns: is there one */
bool command_wall_left(const Command *command, uint64_t *ret_usec);
/** command_jail() - borrowed */
FrontJail *command_jail(const Command *command);
/** command_find() - by "c-…" in a jail; NULL: the newest; NULL where there is none */
Command *command_find(FrontJail *jail, const char *id);

/** commands_count() - of a list */
unsigned commands_count(const Command *first);
/** commands_set_cause() - the jail is about to be ended for this reason: its commands say so */
void commands_set_cause(FrontJail *jail, Cause cause);
/**
 * commands_exhausted() - end all that runs in a jail, commands and what they left, with cause oom
 * @hit:       HIT_SOCKETS or HIT_LOCKS
 * @uncounted: bytes that the jail's connections hold at most, or its locks at least, charged to no group
 *
 * Returns: false: nothing runs in it.
 */
bool commands_exhausted(FrontJail *jail, Hit hit, uint64_t uncounted);
/** commands_jail_gone() - for jails.c: what is left ends with jail_ended (or the cause that was set) */
void commands_jail_gone(FrontJail *jail);

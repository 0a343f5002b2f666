#pragma once
/*
 * init: the state of a jail's process 1, and its parts: slots (slot.c), commands (command.c), the
 * front's other requests (request.c, open.c).
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "sandbox/init/capture.h"
#include "sandbox/init/copies.h"
#include "sandbox/init/keys.h"
#include "sandbox/init/park.h"
#include "supervisor/wire.h"

typedef enum CommandState {
        COMMAND_NONE = 0, /* the slot takes a command */
        COMMAND_STARTING, /* the child was told; its socket closes when it executes */
        COMMAND_RUNNING,  /* executed */
        COMMAND_FAILED,   /* its child said why it was not started; to be reaped */
        _COMMAND_STATE_MAX,
} CommandState;

typedef struct Pending { /* a command that no child has executed yet */
        void *message;   /* owned */
        size_t n;
        int fds[PARK_FDS_MAX]; /* borrowed: of own, and init's /dev/null */
        unsigned n_fds;
        int own[PARK_FDS_MAX + 2]; /* owned: the front's, and the pipes of captures */
        unsigned n_own;
        unsigned tries;
} Pending;

typedef struct Command {
        uint32_t state; /* CommandState */
        uint64_t id;
        Pending pending;
        uint64_t start_usec;
        uint32_t disk_before; /* the upper was full already, as InitEvent's */
        uint64_t output_max;
        bool output_stopped; /* the limit was reported */
        int32_t code;        /* COMMAND_FAILED: of the event */
        uint32_t step;
        Capture streams[2];
        Keys keys;
} Command;

typedef struct Slot {
        int dir;         /* owned: the slot's group; -EBADF: no such slot */
        int events;      /* owned: its cgroup.events */
        int group;       /* owned: the one in it that children go to; -EBADF: none yet */
        uint32_t serial; /* name of the next such group */
        uint32_t oldest; /* name of the oldest that may still be there */
        bool killed;     /* it was or may have been killed: the next child needs a fresh group */
        int sock;        /* owned: to the parked or starting child; -EBADF: none */
        pid_t pid;       /* of the parked child; 0 until its first word */
        pid_t ended;     /* of the child that was reaped last */
        bool taken;      /* the child has read its command: now only execve(2) closes its socket */
        bool want;       /* a child is to be parked here soon */
        bool left; /* the last command's processes may live on: no child before the next command */
        bool narrow; /* its command has limits of its own: a child only for a command */
        int limits[PARK_LIMITS_MAX]; /* owned: cgroup.procs of further groups it enters */
        uint64_t used;               /* when its last command came, by Init.clock */
        Command command;
} Slot;

typedef struct Init {
        int front;      /* owned */
        int spawner;    /* owned */
        int filter;     /* owned: the policy's, sealed memfd */
        int null;       /* owned: /dev/null */
        uint32_t flags; /* PlanFlags, BOOT_* */
        uint64_t clock; /* counts commands */
        bool last;      /* the newest is INIT_EXEC_LAST */
        uint32_t
                disk_full; /* the upper when it was looked at last, at a command's end or before the first */
        Copies copies;
        Slot slots[JAIL_SLOTS_MAX];
} Init;

/** init_send() - one event to the front; a front that is gone ends the jail */
void init_send(Init *init, InitEvent *event, const int *fds);

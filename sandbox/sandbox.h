#pragma once
/*
 * sandbox: what all jails of one monitor share, and what one jail is. The functions stand in jail.h and
 * jail-slots.h; this is for jail.c, jail-slots.c and priv-order.c.
 */
#include "sandbox/groups.h"
#include "sandbox/hierarchy.h"
#include "sandbox/host-mounts.h"
#include "sandbox/id-ranges.h"
#include "sandbox/jail.h"

struct Sandbox {
        SandboxFacts facts;
        Hierarchy hierarchy;
        IdPool ids;
        int exe;     /* owned: sealed memfd of warder-init */
        int proc;    /* owned: the host's /proc */
        int store;   /* owned: directory of the layers */
        int lock;    /* owned: record lock of this instance's name */
        int ids_dir; /* borrowed: directory of lock files */
        char lock_name[64];
        bool user_xattr; /* tmpfs keeps user.* attributes */
        uint64_t next;   /* number of the next jail's groups */
        Jail *jails;     /* list of all, through Jail.next */
};

struct Jail {
        Sandbox *sandbox; /* borrowed, outlives us */
        Jail *next, **at; /* borrowed: list of sandbox->jails, and what points to us there */
        JailState state;
        uint64_t number; /* of its groups */
        int range;       /* of ids; 0: none */
        uint32_t
                id_base; /* first id of its range; kept, as the upper is, when that is given back */
        int pidfd;       /* owned, of init */
        int channel;     /* owned, to the builder; -EBADF once that is done */
        int upper;       /* owned */
        int mounts;      /* owned: mount namespace that holds the upper */
        uint32_t next_slot;
        uint64_t narrow; /* bit S: slot S is a narrow one */
        bool keep_upper;
        bool has_groups; /* may have some: to be removed */
        int status;      /* wait status of init, once has_status */
        bool has_status;
        uint32_t oom_kills; /* of its commands, once it ended */
        Groups groups;
        HostMarks host;        /* of the host, when its shell was begun */
        int fds[_JAIL_FD_MAX]; /* owned, as the front gets them; PIDFD stands in pidfd */
};

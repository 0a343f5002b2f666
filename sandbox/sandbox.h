#pragma once
/*
 * sandbox: what all jails of one monitor share. The functions stand in jail.h; this is for jail.c.
 */
#include "sandbox/jail.h"
#include "sandbox/priv-hierarchy.h"
#include "sandbox/priv-ids.h"

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

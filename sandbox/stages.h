#pragma once
/*
 * stages: what a jail's own processes do between clone and exec, in order. See stages.c for the theory.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "sandbox/hierarchy.h"
#include "sandbox/host-mounts.h"
#include "sandbox/limits.h"
#include "sandbox/plan.h"

typedef struct Shell { /* what the clone takes along; the descriptors are the monitor's, borrowed */
        const Hierarchy *hierarchy;
        uint64_t number;  /* of its groups */
        uint32_t id_base; /* first host id of the jail's range */
        uint32_t store_base;
        bool user_xattr;       /* tmpfs keeps user.* attributes */
        uint32_t landlock_abi; /* 0: the kernel has none that serves */
        bool need_mapped;      /* the store-to-range map does not exist yet: make and report it */
        int exe;               /* sealed memfd of warder-init */
        int report;            /* SEQPACKET to the monitor */
        int front;             /* init's end of the front's socket */

        /* made by the stages */
        int slots[JAIL_SLOTS_FIRST];
        int proc;   /* detached, then at /proc */
        int locks;  /* /proc/locks, before it is covered */
        int userns; /* 0 … 65535 are the jail's range */
        int mapped; /* store range to jail range, for idmapped mounts; where need_mapped */
        int root;   /* the tmpfs that is the shell's root and holds every upper */
        int stand;  /* S, the root of the mount namespace: see priv-root.c */
        int tmp;    /* detached clones of the root's tmp and run */
        int run;
        int host[HOST_MOUNTS_MAX];
        int boot[2];    /* builder, init */
        int spawner[2]; /* init, spawner */
} Shell;

typedef enum ReportKind {
        REPORT_SHELL =
                1,    /* a shell stands; one descriptor where need_mapped: the mapping namespace */
        REPORT_BUILT, /* the jail stands; descriptors: upper, and with PLAN_KEEP_UPPER its mount ns */
        REPORT_FAILED, /* error says why */
} ReportKind;

typedef struct Report {
        uint32_t kind; /* ReportKind */
        uint32_t pad;
        Error error;
} Report;

typedef enum BuildLayerKind {
        BUILD_MOUNT = 1,  /* one descriptor: a detached mount, mapped, read-only */
        BUILD_CHANGED,    /* likewise, but the jail changes it */
        BUILD_UPPER_SAME, /* two: mount namespace, directory in it; the ids are ours */
        BUILD_UPPER, /* three: mount namespace, directory in it, user namespace to map it with */
} BuildLayerKind;

/* monitor to builder; then the descriptors: filter; with a disk its image, /dev, its id map; the layers' */
typedef struct BuildOrder {
        Plan plan;
        uint8_t layer_kinds[PLAN_USES_MAX]; /* BuildLayerKind, view by view */
        uint32_t n_uses;                    /* layers of all views together */
        uint32_t n_fds;
        uint32_t n_groups; /* of them, the last: for groups_follow() */
} BuildOrder;

#define BUILD_DISK_FDS 3
#define BUILD_FDS_MAX  (1 + BUILD_DISK_FDS + 3 * PLAN_USES_MAX + GROUPS_FOLLOW_MAX)

/** stage_clone() - a child as fork(2) makes it, without what libc does around one. Returns: as fork(2) */
pid_t stage_clone(void);

/** stage_fail() - report that the stage @name failed, by the whole Error, and end this process */
_Noreturn void stage_fail(int report, const char *name, Error *err);

/**
 * shell_start() - clone the process that becomes a jail's init
 * @shell: filled in up to the blank line
 *
 * Returns: 0 and a pidfd owned by the caller, or negative errno. Everything else arrives as a Report.
 */
int shell_start(const Shell *shell, int *ret_pidfd, Error *err);

#pragma once
/*
 * hierarchy: where this host has its control groups, and our own base group in each tree. On a pure
 * v2 host there is one tree; on a hybrid host the v1 trees hold the limits, and the v2 tree, which has no
 * controllers there, holds the same processes for cgroup.kill, cgroup.freeze and cpu.stat.
 */
#include <stdint.h>

#include "base/error.h"
#include "sandbox/group.h"
#include "sandbox/plan.h"

typedef enum Tree {
        TREE_V2 = 0,
        TREE_MEMORY,
        TREE_PIDS,
        TREE_CPU,
        _TREE_NEEDED, /* from here on: only for jails whose plan asks, and where the host has it */
        TREE_IO = _TREE_NEEDED,
        TREE_CPUSET,
        _TREE_MAX
} Tree;

typedef struct Hierarchy {
        uint32_t mode;         /* CgroupMode of plan.h */
        char name[64];         /* of our base group, "warder-INSTANCE" */
        int parent[_TREE_MAX]; /* owned: the group that our base lies in; -EBADF: not used */
        int base[_TREE_MAX];   /* owned: our base group; v2 mode uses TREE_V2 alone */
        unsigned has;          /* BIT(Tree) of the optional controllers that are there */
} Hierarchy;

#define HIERARCHY_EMPTY                                                             \
        ((Hierarchy){ .parent = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF }, \
                      .base = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } })

/**
 * hierarchy_init() - find the trees, end what a dead supervisor of this name left, make our base groups
 * @hierarchy: HIERARCHY_EMPTY
 * @instance:  [a-z0-9-]; the caller holds its lock, so that what is found there belongs to the dead
 *
 * On v2, our base lies in the own group where that is delegated to us (this process then moves into a
 * sub-group of its own), else below the root; memory, pids and cpu are switched on for it; io and
 * cpuset are looked for, and switched on by groups_limit_optional().
 *
 * Returns: 0 or negative errno; the missing tree or controller is named.
 */
int hierarchy_init(Hierarchy *hierarchy, const char *instance, Error *err);

/** hierarchy_is_v2() - one tree for all */
static inline bool hierarchy_is_v2(const Hierarchy *hierarchy) {
        return hierarchy->mode == CGROUP_V2;
}

/** hierarchy_deinit() - remove our base groups (which must be empty) and close everything */
void hierarchy_deinit(Hierarchy *hierarchy);

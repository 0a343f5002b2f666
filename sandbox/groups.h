#pragma once
/*
 * groups: the control groups of one jail.
 *
 *   v2 tree   BASE/N            the whole jail: cgroup.kill
 *             BASE/N/init       init and the spawner (v2 mode only; on a hybrid host they sit in N)
 *             BASE/N/cmd        all commands: limits (v2 mode), freeze, cpu.stat
 *             BASE/N/cmd/S      one slot: one command and all that it starts
 *             BASE/N/cmd/S/M    made by init: where its processes are, see fresh_group() in init
 *   v1 trees  BASE/N.cmd/S      memory and pids, for a slot whose command has limits of its own
 *             BASE/N.init       memory only: init, with its output rings
 *             BASE/N.cmd        memory, pids, cpu: the spawner and, by inheritance, every command;
 *                               blkio and cpuset only where the plan asks for them
 *
 * The shell makes them and enters them: making and entering take the kernel's group lock, under which
 * others wait for RCU, and the monitor must not wait there.
 */
#include <stdint.h>

#include "base/error.h"
#include "sandbox/hierarchy.h"
#include "sandbox/plan.h"

#define GROUP_NAME 48

typedef struct Groups {
        const Hierarchy *hierarchy; /* borrowed */
        uint64_t number;            /* the N above */
        int jail;                   /* owned: v2 BASE/N */
        int cmd;                    /* owned: v2 BASE/N/cmd */
        int limits[_TREE_MAX];      /* owned: where memory, pids and cpu of the commands are set */
} Groups;

#define GROUPS_EMPTY               \
        ((Groups){ .jail = -EBADF, \
                   .cmd = -EBADF,  \
                   .limits = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } })

/**
 * groups_make() - make the groups of jail N; called in the shell
 * @init_uid: host id of the jail's init: it may place children into the slots
 */
int groups_make(const Hierarchy *hierarchy, uint64_t number, uint32_t init_uid, Error *err);

/** groups_enter_jail() - put this process into the jail's v2 group, to be the root of its cgroup namespace */
int groups_enter_jail(const Hierarchy *hierarchy, uint64_t number, Error *err);

/**
 * groups_enter_init() - put this process where init lives; its own later children inherit that
 *
 * On v2 it also hands the controllers on to the groups below, which needs a group without processes.
 */
int groups_enter_init(const Hierarchy *hierarchy, uint64_t number, Error *err);

/** groups_enter_cmd() - put this process, the spawner, where commands are counted on a hybrid host */
int groups_enter_cmd(const Hierarchy *hierarchy, uint64_t number, Error *err);

/** groups_open() - the monitor's descriptors of groups that a shell has made */
int groups_open(Groups *groups, const Hierarchy *hierarchy, uint64_t number, Error *err);

/**
 * groups_counters() - open what the front reads and writes: JAIL_FD_KILL … JAIL_FD_SLOT_1_CPU
 * @fds: array in the order of JailFd; those entries are set, owned by the caller
 */
int groups_counters(const Groups *groups, int *fds, Error *err);

/** groups_close_unused() - all but what groups_oom_kills() reads: a jail that runs needs no more, and there are many */
void groups_close_unused(Groups *groups);

/** groups_close() - close the descriptors; the groups stay */
void groups_close(Groups *groups);

/** groups_remove() - remove the groups of jail N. Returns: 0, -EBUSY while a process is left in one */
int groups_remove(const Hierarchy *hierarchy, uint64_t number);

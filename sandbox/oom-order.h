#pragma once
/*
 * oom-order: whom the kernel kills first where a jail's memory is full.
 *
 * It takes the largest process, each shifted by a score of its own. What fills the memory may belong to no
 * process (files in memory, System V segments, buffers of sockets); then the largest may be the spawner,
 * which on cgroup v1 is counted with the commands, and without it the jail ends. So every command stands at
 * COMMON, and the spawner so far below that it is taken only where nobody else is left. Not out of reach:
 * the kernel tries for ever, and fills its log, where a group is full and nobody may be killed.
 *
 * The kernel keeps a bound besides the score, below which a process without CAP_SYS_RESOURCE cannot go, and
 * both are inherited. A command must not be able to go back to the spawner's score, so the spawner's is set
 * by the older of the two files, oom_adj, which moves the score and leaves the bound: a parked child then
 * goes up to COMMON by itself (sandbox/init/spawner.c), and never down again.
 */
#include "base/error.h"

#define OOM_ORDER_COMMON "0"
#define OOM_ORDER_LAST   "-16" /* of 17, in the older file's own unit: -941 of 1000 */

/**
 * oom_order_common() - this process and its children: the common score, and no way below it
 * @proc: a proc of this process's pid namespace, unmasked
 *
 * Whatever score the supervisor was given. Without CAP_SYS_RESOURCE a bound below it stays.
 */
void oom_order_common(int proc);

/**
 * oom_order_last() - this process is killed last of its group, and its children too until they say otherwise
 *
 * LIMIT: not without CAP_SYS_RESOURCE, nor on a kernel without the older file. There such a jail may end
 * early; the record of its commands says `oom` all the same.
 *
 * Source: proc(5), oom_adj; __set_oom_adj() in fs/proc/base.c.
 */
void oom_order_last(int proc);

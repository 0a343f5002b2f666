#pragma once
/*
 * limits: the limits of a jail, written to its groups.
 */
#include "sandbox/groups.h"

#define GROUPS_FOLLOW_MAX 3u
#define LIMIT_PLACES_MAX  (1u + PLAN_LAYERS_MAX)

typedef struct LimitPlaces {       /* directories whose disks io limits bound; borrowed */
        int fds[LIMIT_PLACES_MAX]; /* first the store, then callers' directories */
        unsigned n;
        bool shared; /* one of them is changed by the jail itself */
} LimitPlaces;

/** groups_limit() - write a plan's limits, and init's own. Returns: 0 or negative errno */
int groups_limit(const Groups *groups, const PlanLimits *limits, Error *err);

/**
 * groups_oom_kills() - processes of the jail's commands that the kernel killed for memory so far
 *
 * The spawner is one of them. Returns: 0 also where the counter cannot be read.
 */
uint64_t groups_oom_kills(const Groups *groups);

/**
 * groups_limit_optional() - make and limit what only some plans ask for: io and cpuset
 * @places:  what the jail reads and writes on disks, beside the host's /usr
 * @ret_fds: room for GROUPS_FOLLOW_MAX, owned by the caller: for groups_follow(), on a v1 host alone
 *
 * A controller that a limit needs and that this host lacks fails it, by name.
 *
 * Returns: how many descriptors there are; negative errno (-ENOTSUP: this host cannot; -EINVAL: a
 *          processor that it does not have).
 */
int groups_limit_optional(const Groups *groups, const PlanLimits *limits, const LimitPlaces *places,
                          int *ret_fds, Error *err);

/**
 * groups_follow() - put what runs in the jail's command group (spawner, parked child) into further groups
 * @fds: the list of processes, then where to; @n of them together
 *
 * Waits for RCU, so it runs in a process of the jail. No command may run yet: what is cloned meanwhile by
 * a process that was not moved yet would be missed.
 */
int groups_follow(const int *fds, unsigned n, Error *err);

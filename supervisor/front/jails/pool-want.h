#pragma once
/*
 * pool-want: what a jail of a pool must be, worked out as jail.create would work it out for the same user now; and
 * whether a jail that was made earlier is exactly that.
 */
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/store/snapshots.h"

typedef struct PoolKey { /* what a pool is for */
        uint32_t uid;    /* who owns it, and pays for its jails */
        char snapshot[SNAPSHOT_REF_MAX];
        char policy[POLICY_NAME_MAX]; /* one of an administrator's: nobody's own file */
} PoolKey;

typedef struct PoolHost { /* what a jail on the host's root binds by inode, and programs replace */
        uint64_t device, inode;
} PoolHost;

typedef struct PoolWant {
        Plan plan;
        JailLimits limits;
        cJSON *image;                /* owned: snapshots_image() */
        int filter;                  /* borrowed */
        uint8_t policy[DIGEST_SIZE]; /* of the policy in force, its filter in it */
        PoolHost host;
} PoolWant;

#define POOL_WANT_EMPTY ((PoolWant){ .filter = -EBADF })

/**
 * pool_want_init() - for this key, below the owner's ceilings of now
 * Returns: 0 or negative errno: -ENOENT: no such snapshot or policy; -EPERM: the policy refuses the host's root.
 */
int pool_want_init(Front *front, const PoolKey *key, PoolWant *ret, Error *err);
/** pool_want_deinit() - release it */
void pool_want_deinit(PoolWant *want);
static inline void pool_want_deinit_scoped(PoolWant *want) {
        pool_want_deinit(want);
}

/** pool_host_now() - what stands there now; all 0 where nothing does */
PoolHost pool_host_now(const Front *front);

/** pool_want_is() - would a create that wants @want get the very jail that was made for @had */
bool pool_want_is(const PoolWant *want, const PoolWant *had);

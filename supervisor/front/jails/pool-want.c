/*
 * pool-want: see pool-want.h.
 *
 * A plan is compared byte by byte: it is the struct that goes to the monitor, without holes, and says everything
 * about a jail but its filter (which the policy's digest covers) and what the front alone enforces (JailLimits)
 * or hands to commands (the image's configuration).
 */
#include "supervisor/front/jails/pool-want.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/front/jails/jail-image.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/store/layer-records.h"

/* ldconfig puts a new file there; directories that are bound show what is new in them by themselves */
#define REPLACED "ld.so.cache"

_Static_assert(sizeof(Plan) == 32 + sizeof(PlanLimits) + PLAN_HOSTNAME_MAX +
                                       PLAN_VIEWS_MAX * sizeof(PlanView) +
                                       PLAN_LAYERS_MAX * sizeof(PlanLayer),
               "a plan has no holes: it is compared as bytes");
_Static_assert(sizeof(PlanLimits) == 56 + sizeof(uint64_t) * PLAN_CPU_WORDS, "nor its limits");
_Static_assert(sizeof(JailLimits) ==
                       sizeof(PlanLimits) + sizeof(CommandLimits) + 8 * sizeof(uint64_t),
               "a new limit is compared, too: see same_limits()");

PoolHost pool_host_now(const Front *front) {
        struct stat st;

        if (front->etc_fd < 0 || fstatat(front->etc_fd, REPLACED, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return (PoolHost){ 0 };
        return (PoolHost){ st.st_dev, st.st_ino };
}

void pool_want_deinit(PoolWant *want) {
        want->image = json_free(want->image);
}

static int take_policy(Front *front, const PoolKey *key, PoolWant *want, bool *ret_host_root,
                       Error *err) {
        const Policy *policy = policies_find(front->policies, key->policy, err);

        if (!policy)
                return err->code;
        want->limits = *policy_limits(policy);
        want->filter = policy_filter(policy);
        memcpy(want->policy, policy_digest(policy), sizeof want->policy);
        *ret_host_root = policy_rules(policy)->host_root;
        return policy_take_bound(front, key->uid, true, &want->limits, err);
}

static int take_root(Front *front, const PoolKey *key, PoolWant *want, Error *err) {
        const RootSpec root = { .snapshot = key->snapshot, .uid = key->uid };

        plan_init(&want->plan, &want->limits);
        want->image = snapshots_image(front, key->snapshot, key->uid);
        (void) jail_image_user(want->image, &want->plan.uid, &want->plan.gid);
        return plan_root(front, &want->plan, &root, err);
}

int pool_want_init(Front *front, const PoolKey *key, PoolWant *ret, Error *err) {
        SCOPED(pool_want_deinit) PoolWant want = POOL_WANT_EMPTY;
        bool host_root = false;
        int r = take_policy(front, key, &want, &host_root, err);

        if (r >= 0)
                r = take_root(front, key, &want, err);
        if (r >= 0)
                r = layers_allow(front, &want.plan, err);
        if (r < 0)
                return r;
        if ((want.plan.flags & PLAN_HOST_ROOT) && !host_root)
                return error_say(err, -EPERM,
                                 "policy %s does not allow the host's own root: name a snapshot",
                                 key->policy);
        want.host = pool_host_now(front);
        *ret = want;
        want.image = NULL;
        return 0;
}

static bool same_limits(const JailLimits *a, const JailLimits *b) {
        return memcmp(&a->plan, &b->plan, sizeof a->plan) == 0 &&
               memcmp(&a->command, &b->command, sizeof a->command) == 0 &&
               a->proc_pid == b->proc_pid && a->wall_usec == b->wall_usec &&
               a->command_wall_usec == b->command_wall_usec &&
               a->command_cpu_usec == b->command_cpu_usec && a->output_keep == b->output_keep &&
               a->output_max == b->output_max && a->nofile == b->nofile && a->fsize == b->fsize;
}

static bool same_image(const cJSON *a, const cJSON *b) {
        return a && b ? cJSON_Compare(a, b, true) : a == b;
}

bool pool_want_is(const PoolWant *want, const PoolWant *had) {
        if (memcmp(&want->plan, &had->plan, sizeof want->plan) != 0 ||
            memcmp(want->policy, had->policy, sizeof want->policy) != 0 ||
            !same_limits(&want->limits, &had->limits) || !same_image(want->image, had->image))
                return false;
        return !(want->plan.flags & PLAN_HOST_ROOT) ||
               (want->host.device == had->host.device && want->host.inode == had->host.inode);
}

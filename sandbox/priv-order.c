/*
 * priv-order: see priv-order.h.
 *
 * The monitor's own share of the mounting: what a caller or the store has is cloned and mapped here, because
 * it lies in a mount namespace that the builder has left.
 */
#include "sandbox/priv-order.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/fds.h"
#include "sandbox/disk.h"
#include "sandbox/limits.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-userns.h"
#include "sandbox/stages.h"

#define BATCH 30u /* descriptors in one message, below FDS_MAX */

typedef struct Draft { /* a build order in the making */
        BuildOrder order;
        int fds[BUILD_FDS_MAX]; /* owned from index 1 on; 0 is the borrowed filter */
} Draft;

static int map_of_layer(Jail *jail, const JailLayer *layer, Error *err) {
        IdMap map = { .inside_uid = layer->from_uid,
                      .inside_gid = layer->from_gid,
                      .outside_uid = jail->id_base + layer->to_uid,
                      .outside_gid = jail->id_base + layer->to_gid,
                      .count = layer->count };
        uint32_t store = jail->sandbox->facts.store_id;

        if (layer->count == 0 || layer->count > JAIL_IDS ||
            layer->to_uid > JAIL_IDS - layer->count || layer->to_gid > JAIL_IDS - layer->count)
                return error_say(err, -EINVAL, "a layer's ids do not fit into the jail");
        if (layer->from_uid == store && layer->from_gid == store && layer->to_uid == 0 &&
            layer->to_gid == 0 && layer->count == JAIL_IDS)
                return fcntl(jail->sandbox->ids.ranges[jail->range].mapped, F_DUPFD_CLOEXEC, 3);
        return userns_new(jail->sandbox->proc, &map, err);
}

static int draft_add(Draft *draft, int fd, const char *what, Error *err) {
        if (fd == -1 && err->code == 0) /* of userns_new() it is -EPERM, and told */
                return error_set(err, -errno, "%s", what);
        if (fd < 0)
                return fd; /* told already */
        draft->fds[draft->order.n_fds++] = fd;
        return 0;
}

/* An upper is in another mount namespace: the builder clones it there. */
static int draft_upper(Jail *jail, Draft *draft, const JailLayer *layer, const Jail *other,
                       Error *err) {
        bool same = other->range == jail->range;
        int r = draft_add(draft, fcntl(other->mounts, F_DUPFD_CLOEXEC, 3), "duplicate a namespace",
                          err);

        draft->order.layer_kinds[draft->order.n_uses++] = same ? BUILD_UPPER_SAME : BUILD_UPPER;
        if (r == 0)
                r = draft_add(draft, fcntl(layer->fd, F_DUPFD_CLOEXEC, 3), "duplicate an upper",
                              err);
        return r < 0 || same ? r : draft_add(draft, map_of_layer(jail, layer, err), "map ids", err);
}

/* One use of a layer by a view: a mount, or what the builder needs to make one. */
static int draft_layer(Jail *jail, Draft *draft, const JailLayer *layer, bool writable,
                       Error *err) {
        unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY);
        const Jail *other = jail_of_upper(jail->sandbox, layer);
        autoclose int map = -EBADF;
        int mount;

        if (other)
                return draft_upper(jail, draft, layer, other, err);
        map = map_of_layer(jail, layer, err);
        if (map < 0)
                return map;
        mount = layer->space < 0 ? mount_clone(layer->fd, "", attr, map, err)
                                 : mount_clone_from(layer->space, layer->fd, attr, map, err);
        if (mount < 0)
                return mount;
        draft->order.layer_kinds[draft->order.n_uses++] = writable ? BUILD_CHANGED : BUILD_MOUNT;
        draft->fds[draft->order.n_fds++] = mount;
        return 0;
}

static int draft_layers(Jail *jail, Draft *draft, const JailLayer *layers, Error *err) {
        const Plan *plan = &draft->order.plan;
        uint32_t i, j;
        int r = 0;

        for (i = 0; i < plan->n_views; i++) {
                const PlanView *view = &plan->views[i];

                for (j = view->first; r == 0 && j < view->first + view->n; j++)
                        r = draft_layer(jail, draft, &layers[j], plan_layer_changes(plan, j), err);
                if (r < 0)
                        return error_add(err, r, "layers of %s", plan_view_path(view->target));
        }
        return 0;
}

/* The disk of a workspace, for the builder to mount. In it ids are the same for whatever range a jail gets. */
static int draft_disk(const Jail *jail, Draft *draft, const JailLayer *layers, Error *err) {
        const IdMap map = { .inside_uid = DISK_IDS,
                            .inside_gid = DISK_IDS,
                            .outside_uid = jail->id_base,
                            .outside_gid = jail->id_base,
                            .count = JAIL_IDS,
                            .root = true };
        int i = plan_disk(&draft->order.plan), r;

        if (i < 0)
                return 0;
        r = draft_add(draft, fcntl(layers[i].fd, F_DUPFD_CLOEXEC, 3), "duplicate a disk", err);
        if (r == 0)
                r = draft_add(draft, open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /dev",
                              err);
        return r < 0 ? r : draft_add(draft, userns_new(jail->sandbox->proc, &map, err), "", err);
}

/* Groups that only some plans have are there before the builder reads of them. */
static int draft_groups(const Jail *jail, Draft *draft, const JailLayer *layers, Error *err) {
        BuildOrder *order = &draft->order;
        LimitPlaces places = { .fds = { jail->sandbox->store },
                               .n = 1,
                               .shared = plan_is_shared(&order->plan) };
        uint32_t i;
        int n;

        for (i = 0; i < order->plan.n_layers; i++)
                if (order->plan.layers[i].kind == LAYER_DIR)
                        places.fds[places.n++] = layers[i].fd;
        n = groups_limit_optional(&jail->groups, &order->plan.limits, &places,
                                  draft->fds + order->n_fds, err);
        if (n < 0)
                return n;
        order->n_groups = (uint32_t) n;
        order->n_fds += (uint32_t) n;
        return 0;
}

static int send_order(const Jail *jail, const Draft *draft, Error *err) {
        const void *bytes = &draft->order;
        size_t n = sizeof(draft->order);
        uint32_t sent = 0;
        ssize_t r;

        while (sent < draft->order.n_fds) {
                uint32_t batch = draft->order.n_fds - sent;

                batch = batch < BATCH ? batch : BATCH;
                r = fds_send(jail->channel, bytes, n, draft->fds + sent, batch);
                if (r < 0)
                        return error_set(err, (int) r, "hand the plan to the shell");
                sent += batch;
                n = 1;
        }
        return 0;
}

int order_send(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err) {
        Draft draft = { .order = { .plan = *plan, .n_fds = 1 }, .fds = { filter_fd } };
        int r = draft_disk(jail, &draft, layers, err);

        if (r == 0)
                r = draft_layers(jail, &draft, layers, err);
        if (r == 0)
                r = draft_groups(jail, &draft, layers, err);
        if (r == 0)
                r = send_order(jail, &draft, err);
        fds_close(draft.fds + 1, draft.order.n_fds - 1);
        return r;
}

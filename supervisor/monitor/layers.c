/*
 * layers: from what a plan names to open directories. The plan may come from a hostile front, so nothing
 * here trusts more than a digest, a handle of its own, or what the kernel says of a descriptor.
 */
#include "supervisor/monitor/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/consent.h"
#include "sandbox/host-places.h"
#include "supervisor/monitor/store.h"

/*
 * A directory that the jail changes itself, not a copy. Id 0 is never mapped: what a jail creates as the
 * host's root, and its group, would have their rights (the filter "shared" is the second wall). The flags,
 * nosuid and nodev, are set in jail.c; the host's own places are no layers.
 */
static int check_changed(const Monitor *monitor, int dir, const JailLayer *layer, Error *err) {
        int r = host_places_check(dir, monitor->state_fd, layer->from_uid, err);

        if (r == 0 && (layer->from_uid == 0 || layer->from_gid == 0))
                return error_say(err, -EPERM,
                                 "the directory belongs to %s: no jail writes as root of the host. "
                                 "Use a directory of a user and a group",
                                 layer->from_uid == 0 ? "root" : "the group root");
        return r;
}

/*
 * A caller's directory: the caller, as the kernel knows it, must own it (or be root), and must have said on
 * that connection that it is to be shown, and whether it may be changed. Its owner, and the caller's own
 * group, appear in the jail as the jail's user; every other id shows as nobody's.
 *
 * What is a control of the kernel's and no place for files (proc, sys, dev, cgroup and their kin) fails at
 * its id map, which only file systems made for it take: the kernel's own list, and it cannot go stale. The
 * owner is asked for without a sync, so that a caller's network or FUSE server cannot hold us up.
 */
static int open_directory(const Entry *entry, uint32_t index, const int *fds, JailLayer *ret,
                          Error *err) {
        const Plan *plan = &entry->request->plan;
        const PlanLayer *layer = &plan->layers[index];
        struct ucred caller;
        struct statx st;
        int dir = fds[layer->fd], conn = fds[layer->conn], r;
        bool changes = plan_layer_changes(plan, index);
        JailLayer own;

        r = caller_read(conn, entry->monitor->listen_fd, &caller, err);
        if (r < 0)
                return r;
        if (statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st) < 0)
                return error_set(err, -errno, "look at the caller's directory");
        if (!S_ISDIR(st.stx_mode))
                return error_say(err, -ENOTDIR, "what was passed is no directory");
        if (caller.uid != 0 && caller.uid != st.stx_uid)
                return error_say(err, -EPERM,
                                 "the directory belongs to uid %u, the caller is uid %u: only its "
                                 "owner may bring it into a jail",
                                 st.stx_uid, caller.uid);
        if (!consent_covers(conn, dir, changes) && (changes || !consent_covers(conn, dir, true)))
                return error_say(err, -EPERM,
                                 "the caller's connection does not name this directory for a jail "
                                 "to %s",
                                 changes ? "change" : "show");
        own = (JailLayer){ -EBADF,    st.stx_uid, caller.uid == 0 ? st.stx_gid : caller.gid,
                           plan->uid, plan->gid,  1,
                           -EBADF };
        r = changes ? check_changed(entry->monitor, dir, &own, err) : 0;
        if (r < 0)
                return r;
        own.fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
        if (own.fd < 0)
                return error_set(err, -errno, "keep the caller's directory");
        own.space = caller_process(conn, caller.pid);
        *ret = own;
        return 0;
}

static int open_upper(const Entry *entry, const PlanLayer *layer, JailLayer *ret, Error *err) {
        const Entry *other = entry_find(entry->monitor, layer->handle);
        uint32_t base;
        int fd;

        if (!other || other == entry ||
            (!(other->known && other->keep_upper) && jail_state(other->jail) != JAIL_RUNNING))
                return error_say(err, -ENOENT, "no running or kept jail has the handle %llu",
                                 (unsigned long long) layer->handle);
        fd = jail_upper_open(other->jail, layer->view, err);
        if (fd < 0)
                return fd;
        base = jail_id_base(other->jail);
        *ret = (JailLayer){ fd, base, base, 0, 0, JAIL_IDS, -EBADF };
        return 0;
}

static int open_layer(const Entry *entry, uint32_t index, const int *fds, JailLayer *ret,
                      Error *err) {
        const Monitor *monitor = entry->monitor;
        const PlanLayer *layer = &entry->request->plan.layers[index];
        uint32_t id = sandbox_facts(monitor->sandbox)->store_id;
        int fd;

        if (layer->kind == LAYER_DIR)
                return open_directory(entry, index, fds, ret, err);
        if (layer->kind == LAYER_UPPER)
                return open_upper(entry, layer, ret, err);
        if (layer->kind == LAYER_DISK)
                fd = store_dirs_disk(store_dirs(monitor->store), layer->handle, err);
        else if (layer->kind == LAYER_STORE)
                fd = store_dirs_layer(store_dirs(monitor->store), layer->digest, err);
        else if (layer->kind == LAYER_NEW)
                fd = store_dirs_new(store_dirs(monitor->store), layer->handle, err);
        else if (layer->kind == LAYER_SKELETON)
                fd = store_dirs_skeleton(store_dirs(monitor->store), err);
        else
                return error_say(err, -EINVAL, "unknown kind of layer %u", layer->kind);
        if (fd < 0)
                return fd;
        *ret = (JailLayer){ fd, id, id, 0, 0, JAIL_IDS, -EBADF };
        return 0;
}

int layers_open(Entry *entry, const int *fds, Error *err) {
        const Plan *plan = &entry->request->plan;
        int r;

        for (; entry->n_layers < plan->n_layers; entry->n_layers++) {
                r = open_layer(entry, entry->n_layers, fds, &entry->layers[entry->n_layers], err);
                if (r < 0)
                        return plan->layers[entry->n_layers].kind == LAYER_DIR
                                       ? r /* it says what it is about */
                                       : error_add(err, r, "layer %u", entry->n_layers);
        }
        return 0;
}

/*
 * jail: see jail.h. Unprivileged bookkeeping around the processes of stages.c; every call returns at once.
 *
 * The last descriptor of a mount namespace or of its upper takes the mounts down when it is closed, which
 * may mean freeing gigabytes: jail_kill() lets go of both while the jail still holds them, so that its own
 * processes pay for it.
 */
#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "sandbox/limits.h"
#include "sandbox/priv-cgroup.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-slot.h"
#include "sandbox/sandbox.h"
#include "sandbox/stages.h"

#define BATCH 30u /* descriptors in one message of a build order, below FDS_MAX */

struct Jail {
        Sandbox *sandbox; /* borrowed, outlives us */
        Jail *next;       /* borrowed: list of sandbox->jails */
        JailState state;
        uint64_t number; /* of its groups */
        int range;       /* of ids; 0: none */
        uint32_t
                id_base; /* first id of its range; kept, as the upper is, when that is given back */
        int pidfd;       /* owned, of init */
        int channel;     /* owned, to the builder; -EBADF once that is done */
        int upper;       /* owned */
        int mounts;      /* owned: mount namespace that holds the upper */
        uint32_t next_slot;
        uint64_t narrow; /* bit S: slot S is a narrow one */
        bool keep_upper;
        bool has_groups; /* may have some: to be removed */
        int status;      /* wait status of init, once has_status */
        bool has_status;
        Groups groups;
        int fds[_JAIL_FD_MAX]; /* owned, as the front gets them; PIDFD stands in pidfd */
};

static const uint8_t jail_next[_JAIL_STATE_MAX] = {
        /* from -> set of allowed successors */
        [JAIL_SHELL_STARTING] = BIT(JAIL_SHELL) | BIT(JAIL_ENDING),
        [JAIL_SHELL] = BIT(JAIL_BUILDING) | BIT(JAIL_ENDING),
        [JAIL_BUILDING] = BIT(JAIL_RUNNING) | BIT(JAIL_ENDING),
        [JAIL_RUNNING] = BIT(JAIL_ENDING),
        [JAIL_ENDING] = BIT(JAIL_ENDING) | BIT(JAIL_ENDED),
};

static int set_state(Jail *jail, JailState state, Error *err) {
        if (!(jail_next[jail->state] & BIT(state)))
                return error_say(err, -EINVAL, "a jail cannot go from state %u to %u",
                                 (unsigned) jail->state, (unsigned) state);
        jail->state = state;
        return 0;
}

/* ---- shells --------------------------------------------------------------------------------------- */

static Jail *jail_alloc(Sandbox *sandbox) {
        Jail *jail = calloc(1, sizeof(*jail));
        unsigned i;

        if (!jail)
                return NULL;
        jail->sandbox = sandbox;
        jail->state = JAIL_SHELL_STARTING;
        jail->number = sandbox->next++;
        jail->pidfd = jail->channel = jail->upper = jail->mounts = -EBADF;
        jail->next_slot = JAIL_SLOTS_FIRST;
        jail->groups = GROUPS_EMPTY;
        for (i = 0; i < _JAIL_FD_MAX; i++)
                jail->fds[i] = -EBADF;
        jail->next = sandbox->jails;
        sandbox->jails = jail;
        return jail;
}

static int start_shell(Jail *jail, Error *err) {
        Sandbox *sandbox = jail->sandbox;
        autoclose int report_child = -EBADF, front_child = -EBADF;
        int report[2], front[2], r;
        Shell shell = { .hierarchy = &sandbox->hierarchy,
                        .number = jail->number,
                        .id_base = jail_id_base(jail),
                        .store_base = sandbox->facts.store_id,
                        .user_xattr = sandbox->user_xattr,
                        .landlock_abi = sandbox->facts.landlock_abi,
                        .need_mapped = sandbox->ids.ranges[jail->range].mapped < 0,
                        .exe = sandbox->exe };

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
                return error_set(err, -errno, "make a shell's channel");
        jail->channel = report[0];
        report_child = report[1];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, front) < 0)
                return error_set(err, -errno, "make a shell's channel");
        jail->fds[JAIL_FD_INIT] = front[0];
        front_child = front[1];
        shell.report = report_child;
        shell.front = front_child;
        r = fd_set_nonblock(jail->channel, true);
        if (r < 0)
                return error_set(err, r, "prepare a shell's channel");
        jail->has_groups = true;
        return shell_start(&shell, &jail->pidfd, err);
}

/* @range is consumed. */
static int new_shell(Sandbox *sandbox, int range, Jail **ret, Error *err) {
        SCOPED(jail_free) Jail *jail = jail_alloc(sandbox);
        int r;

        if (!jail) {
                ids_give(&sandbox->ids, range);
                return error_set(err, -ENOMEM, "make a shell");
        }
        jail->range = range;
        jail->id_base = ids_first(&sandbox->ids, range);
        r = start_shell(jail, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(jail);
        return 0;
}

int jail_new_shell(Sandbox *sandbox, Jail **ret, Error *err) {
        int range = ids_take(&sandbox->ids, err);

        return range < 0 ? range : new_shell(sandbox, range, ret, err);
}

int jail_new_shell_like(Jail *other, Jail **ret, Error *err) {
        if (other->range == 0)
                return error_say(err, -ESTALE, "the other jail has given its ids back");
        ids_share(&other->sandbox->ids, other->range);
        return new_shell(other->sandbox, other->range, ret, err);
}

JailState jail_state(const Jail *jail) {
        return jail->state;
}

int jail_channel(const Jail *jail) {
        return jail->channel;
}

int jail_pidfd(const Jail *jail) {
        return jail->pidfd;
}

uint32_t jail_id_base(const Jail *jail) {
        return jail->id_base;
}

/* ---- reports -------------------------------------------------------------------------------------- */

static int take_shell(Jail *jail, int *fds, unsigned n_fds, Error *err) {
        IdRange *range = &jail->sandbox->ids.ranges[jail->range];
        int r;

        if (range->mapped < 0 && n_fds != 1)
                return error_say(err, -EPROTO, "a shell reported without its id map");
        if (range->mapped < 0)
                range->mapped = TAKE_FD(fds[0]);
        r = groups_open(&jail->groups, &jail->sandbox->hierarchy, jail->number, err);
        if (r == 0)
                r = groups_counters(&jail->groups, jail->fds, err);
        return r < 0 ? r : set_state(jail, JAIL_SHELL, err);
}

static int take_built(Jail *jail, int *fds, unsigned n_fds, Error *err) {
        if (n_fds != 2)
                return error_say(err, -EPROTO, "a jail reported without its upper");
        jail->upper = TAKE_FD(fds[0]);
        jail->mounts = TAKE_FD(fds[1]);
        fds_close(&jail->channel, 1);
        return set_state(jail, JAIL_RUNNING, err);
}

static int take_report(Jail *jail, Error *err) {
        Report report;
        int fds[FDS_MAX], r;
        unsigned n_fds = 0;
        ssize_t got = fds_recv(jail->channel, &report, sizeof(report), fds, &n_fds);

        if (got == -EAGAIN)
                return 0;
        if (got != sizeof(report))
                r = error_say(err, -EIO, "the jail's processes ended before it stood");
        else if (report.kind == REPORT_SHELL && jail->state == JAIL_SHELL_STARTING)
                r = take_shell(jail, fds, n_fds, err);
        else if (report.kind == REPORT_BUILT && jail->state == JAIL_BUILDING)
                r = take_built(jail, fds, n_fds, err);
        else {
                report.error.text[ERROR_TEXT_MAX - 1] = 0;
                r = error_say(err, report.error.code < 0 ? report.error.code : -EPROTO, "%s",
                              report.error.text);
        }
        fds_close(fds, n_fds);
        return r;
}

int jail_dispatch(Jail *jail, Error *err) {
        int r;

        if (jail->channel < 0)
                return 0;
        r = take_report(jail, err);
        if (r < 0)
                (void) jail_kill(jail);
        return r;
}

/* ---- building ------------------------------------------------------------------------------------- */

typedef struct Draft { /* a build order in the making */
        BuildOrder order;
        int fds[BUILD_FDS_MAX]; /* owned from index 1 on; 0 is the borrowed filter */
} Draft;

/* The jail of this sandbox whose upper @fd shows; NULL: none. */
static Jail *jail_of_upper(Sandbox *sandbox, int fd) {
        struct stat st, upper;
        Jail *jail;

        if (fstat(fd, &st) < 0)
                return NULL;
        for (jail = sandbox->jails; jail; jail = jail->next)
                if (jail->upper >= 0 && fstat(jail->upper, &upper) == 0 &&
                    upper.st_dev == st.st_dev && upper.st_ino == st.st_ino)
                        return jail;
        return NULL;
}

static int map_of_layer(Jail *jail, const JailLayer *layer, Error *err) {
        IdMap map = { .inside_uid = layer->from_uid,
                      .inside_gid = layer->from_gid,
                      .outside_uid = jail_id_base(jail) + layer->to_uid,
                      .outside_gid = jail_id_base(jail) + layer->to_gid,
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
        if (fd == -1)
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
                r = draft_add(draft, fcntl(other->upper, F_DUPFD_CLOEXEC, 3), "duplicate an upper",
                              err);
        return r < 0 || same ? r : draft_add(draft, map_of_layer(jail, layer, err), "map ids", err);
}

/* One use of a layer by a view: a mount, or what the builder needs to make one. */
static int draft_layer(Jail *jail, Draft *draft, const JailLayer *layer, bool writable,
                       Error *err) {
        unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (writable ? 0 : MOUNT_ATTR_RDONLY);
        const Jail *other = jail_of_upper(jail->sandbox, layer->fd);
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

int jail_build(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err) {
        Draft draft = { .order = { .plan = *plan, .n_fds = 1 }, .fds = { filter_fd } };
        int r = set_state(jail, JAIL_BUILDING, err);

        if (r == 0)
                r = draft_layers(jail, &draft, layers, err);
        if (r == 0)
                r = draft_groups(jail, &draft, layers, err);
        if (r == 0)
                r = send_order(jail, &draft, err);
        /* while the builder mounts: nobody has the descriptors of a jail whose limits are not written */
        if (r == 0)
                r = groups_limit(&jail->groups, &plan->limits, err);
        fds_close(draft.fds + 1, draft.order.n_fds - 1);
        jail->keep_upper = plan->flags & PLAN_KEEP_UPPER;
        if (r < 0)
                (void) jail_kill(jail);
        return r;
}

/* ---- a running jail ------------------------------------------------------------------------------- */

int jail_fds(Jail *jail, int *ret_fds, uint32_t *ret_present, Error *err) {
        int fds[_JAIL_FD_MAX];
        uint32_t present = 0;
        unsigned i;

        for (i = 0; i < _JAIL_FD_MAX; i++) {
                int fd = i == JAIL_FD_PIDFD ? jail->pidfd : jail->fds[i];

                fds[i] = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (fd >= 0 && fds[i] < 0) {
                        int r = -errno;

                        fds_close(fds, i);
                        return error_set(err, r, "duplicate a jail's descriptors");
                }
                present |= fd < 0 ? 0 : BIT(i);
        }
        memcpy(ret_fds, fds, sizeof(fds));
        *ret_present = present;
        return 0;
}

int jail_slot_new(Jail *jail, uint32_t *ret_slot, int *ret_fds, Error *err) {
        int r;

        if (jail->state != JAIL_RUNNING)
                return error_say(err, -EINVAL, "the jail is not running");
        if (jail->next_slot >= JAIL_SLOTS_MAX)
                return error_say(err, -EMFILE, "the jail has %u command groups already",
                                 JAIL_SLOTS_MAX);
        r = groups_slot_new(&jail->groups, jail->next_slot, jail_id_base(jail) + JAIL_INIT_ID,
                            ret_fds, err);
        if (r < 0)
                return r;
        *ret_slot = jail->next_slot++;
        return 0;
}

int jail_slot_narrow(Jail *jail, uint32_t slot, const CommandLimits *limits, uint32_t *ret_slot,
                     int *ret_fds, Error *err) {
        SlotOrder order = { .slot = slot,
                            .fresh = slot == SLOT_ANY,
                            .init_uid = jail_id_base(jail) + JAIL_INIT_ID,
                            .limits = *limits };
        int r = plan_check_command(limits, err);

        if (r < 0)
                return r;
        if (jail->state != JAIL_RUNNING)
                return error_say(err, -EINVAL, "the jail is not running");
        if (order.fresh && jail->next_slot >= JAIL_SLOTS_MAX)
                return error_say(err, -EMFILE, "the jail has %u command groups already",
                                 JAIL_SLOTS_MAX);
        if (!order.fresh && (slot >= JAIL_SLOTS_MAX || !(jail->narrow & (1ull << slot))))
                return error_say(err, -ENOENT, "the jail has no narrow slot %u", slot);
        if (order.fresh)
                order.slot = jail->next_slot++; /* one that fails half-made is not used again */
        r = groups_slot_narrow(&jail->groups, &order, ret_fds, err);
        if (r < 0)
                return r;
        jail->narrow |= 1ull << order.slot;
        *ret_slot = order.slot;
        return 0;
}

int jail_upper_fd(const Jail *jail) {
        return jail->upper;
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void drop_upper(Jail *jail) {
        if (jail->keep_upper)
                return;
        fds_close(&jail->upper, 1);
        fds_close(&jail->mounts, 1);
}

int jail_kill(Jail *jail) {
        if (jail->state == JAIL_ENDED)
                return 0;
        (void) set_state(jail, JAIL_ENDING, NULL);
        drop_upper(jail);
        fds_close(&jail->channel, 1);
        if (jail->pidfd < 0 || jail->has_status)
                return 0;
        /* process 1 of a pid namespace takes all others with it */
        return syscall(SYS_pidfd_send_signal, jail->pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}

static int wait_status(Jail *jail, Error *err) {
        siginfo_t info = { 0 };

        if (jail->has_status || jail->pidfd < 0)
                return 0;
        if (waitid(P_PIDFD, (id_t) jail->pidfd, &info, WEXITED | WNOHANG) < 0)
                return error_set(err, -errno, "wait for a jail's init");
        if (info.si_pid == 0)
                return -EAGAIN;
        jail->status = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
        jail->has_status = true;
        return 0;
}

static void give_ids(Jail *jail) {
        ids_give(&jail->sandbox->ids, jail->range);
        jail->range = 0;
}

int jail_reap(Jail *jail, int *ret_status, Error *err) {
        int r = wait_status(jail, err);

        if (r < 0)
                return r;
        (void) jail_kill(jail);
        if (jail->has_groups) {
                groups_close(&jail->groups);
                fds_close(jail->fds, _JAIL_FD_MAX);
                r = groups_remove(&jail->sandbox->hierarchy, jail->number);
                if (r == -EBUSY || r == -ENOTEMPTY)
                        return -EAGAIN;
                if (r < 0)
                        return error_set(err, r, "remove a jail's groups");
                jail->has_groups = false;
        }
        if (!jail->keep_upper)
                give_ids(jail);
        *ret_status = jail->status;
        return set_state(jail, JAIL_ENDED, err);
}

static void end_now(Jail *jail) {
        struct pollfd dead = { .fd = jail->pidfd, .events = POLLIN };
        int status, r;

        (void) jail_kill(jail);
        if (jail->pidfd >= 0 && !jail->has_status)
                while (poll(&dead, 1, -1) < 0 && errno == EINTR)
                        ;
        do
                r = jail_reap(jail, &status, NULL);
        while (r == -EAGAIN && poll(NULL, 0, 1) == 0);
}

Jail *jail_free(Jail *jail) {
        Jail **link;

        if (!jail)
                return NULL;
        if (jail->state != JAIL_ENDED)
                end_now(jail);
        for (link = &jail->sandbox->jails; *link; link = &(*link)->next)
                if (*link == jail) {
                        *link = jail->next;
                        break;
                }
        jail->keep_upper = false;
        drop_upper(jail);
        give_ids(jail);
        fds_close(jail->fds, _JAIL_FD_MAX);
        fds_close(&jail->pidfd, 1);
        free(jail);
        return NULL;
}

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
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/links.h"
#include "sandbox/limits.h"
#include "sandbox/priv-order.h"
#include "sandbox/sandbox.h"
#include "sandbox/stages.h"

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
        LINK_IN(sandbox->jails, jail, next, at);
        return jail;
}

static int start_shell(Jail *jail, Error *err) {
        Sandbox *sandbox = jail->sandbox;
        autoclose int report_child = -EBADF, front_child = -EBADF;
        const int yes = 1;
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
        /* each message then says who sent it: the front learns the commands' pids, see INIT_PARKED */
        jail->fds[JAIL_FD_INIT] = front[0];
        if (setsockopt(front[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
                return error_set(err, -errno, "have a shell's processes named");
        front_child = front[1];
        shell.report = report_child;
        shell.front = front_child;
        r = fd_set_nonblock(jail->channel, true);
        if (r < 0)
                return error_set(err, r, "prepare a shell's channel");
        jail->has_groups = true;
        host_marks_take(&jail->host);
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

JailState jail_shell_state(Jail *jail) {
        if (jail->state <= JAIL_SHELL && !host_marks_hold(&jail->host))
                (void) jail_kill(jail);
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

/* ---- building, running ------------------------------------------------------------------------------------- */

int jail_build(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err) {
        int r = set_state(jail, JAIL_BUILDING, err);

        if (r == 0)
                r = order_send(jail, plan, layers, filter_fd, err);
        /* while the builder mounts: nobody has the descriptors of a jail whose limits are not written */
        if (r == 0)
                r = groups_limit(&jail->groups, &plan->limits, err);
        jail->keep_upper = plan->flags & PLAN_KEEP_UPPER;
        if (r < 0)
                (void) jail_kill(jail);
        return r;
}

/* The uppers of a jail lie beside each other, as u/VIEW/u (priv-root.c): no command gets at the directories above. */
int jail_upper_open(const Jail *jail, uint32_t view, Error *err) {
        char path[24] = ".";
        int fd;

        if (view != 0)
                (void) snprintf(path, sizeof(path), "../../%u/u", view);
        fd = openat(jail->upper, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open the upper of a jail's %s",
                                  plan_view_path(view))
                      : fd;
}

/* Is @fd, which lies on the file system of @upper, an upper beside it? */
static bool is_beside(int upper, int fd) {
        struct stat mine, other;

        return fstatat(upper, "../..", &mine, 0) == 0 && fstatat(fd, "../..", &other, 0) == 0 &&
               mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

Jail *jail_of_upper(Sandbox *sandbox, const JailLayer *layer) {
        struct stat st, upper;
        Jail *jail;

        if (layer->from_uid == sandbox->facts.store_id || fstat(layer->fd, &st) < 0)
                return NULL;
        for (jail = sandbox->jails; jail; jail = jail->next)
                if (jail->id_base == layer->from_uid && jail->upper >= 0 &&
                    fstat(jail->upper, &upper) == 0 && upper.st_dev == st.st_dev &&
                    (upper.st_ino == st.st_ino || is_beside(jail->upper, layer->fd)))
                        return jail;
        return NULL;
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

uint32_t jail_oom_kills(const Jail *jail) {
        return jail->oom_kills;
}

int jail_reap(Jail *jail, int *ret_status, Error *err) {
        int r = wait_status(jail, err);

        if (r < 0)
                return r;
        (void) jail_kill(jail);
        if (jail->has_groups) {
                jail->oom_kills += (uint32_t) groups_oom_kills(&jail->groups); /* 0 the next time */
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
        if (!jail)
                return NULL;
        if (jail->state != JAIL_ENDED)
                end_now(jail);
        LINK_OUT(jail, next, at);
        jail->keep_upper = false;
        drop_upper(jail);
        give_ids(jail);
        fds_close(jail->fds, _JAIL_FD_MAX);
        fds_close(&jail->pidfd, 1);
        free(jail);
        return NULL;
}

/*
 * front: the Manager's start, its end, and when a private front may go.
 *
 * A private front serves one caller's commands and then goes: when no client is connected, no jail and no
 * task is alive and nothing is being imported, and there has been a client (or IDLE_USEC passed, in case
 * the one that asked for us died first). The check runs as a source of its own, after whatever changed.
 */
#include "supervisor/front/front.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/commands/audit.h"
#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/commands/uncounted.h"
#include "supervisor/front/gate/notary-link.h"
#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/listener.h"
#include "supervisor/front/methods.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/accounts.h"
#include "supervisor/front/policy/ceilings-file.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/store/image-import.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/after-end.h"
#include "supervisor/front/tasks/tasks.h"
#include "supervisor/front/workspaces/workspace-time.h"

#define IDLE_USEC     (30u * 1000 * 1000)
#define INFO_VERSION  1
#define IDLE_ACCURACY (100u * 1000)

/* Jails of pools wait for somebody who comes: they keep no private front. */
static bool is_needed(const Front *front) {
        return front->clients ||
               accounts_totals(front->accounts)->jails > pools_jails(front->pools) ||
               front->jobs > 0 || front->imports > 0 || tasks_busy(front->tasks) ||
               notary_is_busy(front->notary);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Front *front = userdata;

        (void) source;
        (void) usec;
        if (is_needed(front))
                return 0; /* whoever goes last touches us again */
        log_event(LOG_INFO, "nobody needs this private supervisor any more");
        return sd_event_exit(front->event, 0);
}

void front_touch(Front *front) {
        if (front->clients)
                front->had_client = true;
        if (!front->idle || !front->had_client || is_needed(front))
                return;
        /* at once, but not from within the handler that called */
        (void) sd_event_source_set_time_relative(front->idle, 0);
        (void) sd_event_source_set_enabled(front->idle, SD_EVENT_ONESHOT);
}

static int read_info(Front *front, Error *err) {
        ssize_t n = pread(FRONT_FD_INFO, &front->info, sizeof front->info, 0);

        if (n != (ssize_t) sizeof front->info)
                return error_set(err, n < 0 ? -errno : -EINVAL, "read what the monitor tells");
        if (front->info.version != INFO_VERSION)
                return error_say(err, -EINVAL,
                                 "monitor and front are not of one build: install them together");
        return 0;
}

/* A descriptor that stands for "not installed" is /dev/null. */
static int unless_null(int fd) {
        struct stat what;

        return fstat(fd, &what) == 0 && !S_ISCHR(what.st_mode) ? fd : -EBADF;
}

static void take_fds(Front *front) {
        front->listen_fd = FRONT_FD_LISTEN;
        front->state_fd = FRONT_FD_STATE;
        front->data_fd = FRONT_FD_DATA;
        front->config_fd = unless_null(FRONT_FD_CONFIG);
        front->files_fd = FRONT_FD_FILES;
        front->agent_fd = unless_null(FRONT_FD_AGENT);
        front->egress_fd = unless_null(FRONT_FD_EGRESS);
        front->has_egress = front->egress_fd >= 0;
        front->etc_fd = unless_null(FRONT_FD_ETC);
        front->layers_fd = unless_null(FRONT_FD_LAYERS);
        for (int fd = FRONT_FD_MONITOR; fd <= _FRONT_FD_MAX; fd++)
                (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int start_idle(Front *front, Error *err) {
        int r;

        if (!front->info.private_call)
                return 0;
        r = sd_event_add_time_relative(front->event, &front->idle, CLOCK_MONOTONIC, IDLE_USEC,
                                       IDLE_ACCURACY, on_idle, front);
        if (r >= 0) /* a request that has come goes first */
                r = sd_event_source_set_priority(front->idle, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return error_set(err, r, "watch for idleness");
        (void) sd_event_source_set_description(front->idle, "idle");
        return 0;
}

/* Ceilings, quotas, and when the host is full. */
static int watch_host(Front *front, Error *err) {
        int r;

        r = ceilings_file_new(front, front->config_fd, &front->ceilings, err);
        if (r >= 0)
                r = accounts_new(front, &front->accounts, err);
        if (r >= 0)
                r = pressure_new(unless_null(FRONT_FD_PRESSURE), unless_null(FRONT_FD_MEMINFO),
                                 &front->pressure, err);
        if (r >= 0)
                r = uncounted_new(front, unless_null(FRONT_FD_SOCKSTAT),
                                  unless_null(FRONT_FD_TCP_MEM), &front->uncounted, err);
        return r < 0 ? r : turns_new(front, &front->turns, err);
}

/*
 * The monitor asks us to end by SIGTERM: connections and ledger are closed by us then, for the kernel does
 * it only when the last of the closer's children has ended, and one may wait. Blocked for good: a second one, or
 * one that comes while we end, changes nothing.
 */
static int make_loop(Front *front, Error *err) {
        sigset_t term;
        int r = sd_event_default(&front->event);

        (void) sigemptyset(&term);
        (void) sigaddset(&term, SIGTERM);
        if (r >= 0 && sigprocmask(SIG_BLOCK, &term, NULL) < 0)
                r = -errno;
        if (r >= 0)
                r = sd_event_add_signal(front->event, NULL, SIGTERM, NULL, NULL);
        return r < 0 ? error_set(err, r, "make the event loop") : 0;
}

/* What needs nothing but descriptors. */
static int make_parts(Front *front, Error *err) {
        int r = client_fd_learn_pipes(&front->pipes, err);

        if (r >= 0)
                r = closer_new(front->event, &front->closer, err);
        if (r >= 0)
                r = audit_new(front, unless_null(FRONT_FD_AUDIT), &front->audit, err);
        if (r >= 0)
                r = jail_log_new(front, &front->jail_log, err);
        return r < 0 ? r : methods_new(&front->methods, err);
}

static int make_links(Front *front, int notary_consume, Error *err) {
        autoclose int notary = notary_consume;
        int r = monitor_link_new(front, FRONT_FD_MONITOR, &front->monitor, err);

        return r < 0 ? r : notary_link_new(front, TAKE_FD(notary), &front->notary, err);
}

/* What the ledger knows of layers is known before anybody may name one. */
static int open_ledger(Front *front, Error *err) {
        int r = ledger_new(front->state_fd, front->info.stale_lock, &front->ledger, err);

        return r < 0 ? r : layer_records_load(front, err);
}

/* What was begun before us, and goes on. */
static int take_up(Front *front, Error *err) {
        int r = pools_new(front, &front->pools, err);

        if (r >= 0)
                r = tasks_new(front, &front->tasks, err);
        if (r >= 0)
                r = image_imports_forget(front, err);
        if (r < 0)
                return r;
        layers_sweep(front); /* what the front before us did not come to remove */
        return workspaces_new(front, &front->workspaces, err);
}

int front_start(Front *front, int notary_fd, Error *err) {
        autoclose int notary = notary_fd;
        int r;

        *front = (Front){ .listen_fd = -EBADF };
        r = make_loop(front, err);
        if (r < 0)
                return r;
        take_fds(front);
        r = read_info(front, err);
        if (r >= 0)
                r = make_parts(front, err);
        if (r >= 0)
                r = make_links(front, TAKE_FD(notary), err);
        if (r >= 0)
                r = open_ledger(front, err);
        if (r >= 0)
                r = policies_new(front, FRONT_FD_POLICIES, &front->policies, err);
        if (r >= 0)
                r = watch_host(front, err);
        if (r >= 0)
                r = take_up(front, err);
        if (r >= 0)
                r = start_idle(front, err);
        if (r >= 0)
                r = listener_start(front, front->listen_fd, err);
        return r;
}

void front_stop(Front *front) {
        front->listen_again = sd_event_source_disable_unref(front->listen_again);
        sd_event_source_disable_unref(front->listen);
        front->listen = NULL;
        sd_event_source_disable_unref(front->idle);
        front->idle = NULL;
        clients_close_all(front);
        after_end_stop(front);
        tasks_stop(front->tasks);
        front_jails_free_all(front);
        front->workspaces = workspaces_free(front->workspaces);
        front->tasks = tasks_free(front->tasks);
        front->pools = pools_free(front->pools);
        front->notary = notary_link_free(front->notary);
        front->monitor = monitor_link_free(front->monitor);
        front->policies = policies_free(front->policies);
        front->turns = turns_free(front->turns);
        front->uncounted = uncounted_free(front->uncounted);
        front->pressure = pressure_free(front->pressure);
        front->accounts = accounts_free(front->accounts);
        front->ceilings = ceilings_file_free(front->ceilings);
        layers_stop(front);
        layer_records_stop(front);
        front->ledger = ledger_free(front->ledger);
        front->methods = methods_free(front->methods);
        front->closer = closer_free(front->closer);
        front->audit = audit_free(front->audit);
        front->jail_log = jail_log_free(front->jail_log);
        front->event = sd_event_unref(front->event);
        (void) close(
                FRONT_FD_MONITOR); /* from here on the monitor waits for our end, and not for ever */
}

/*
 * front: the life of warder-front. All that it is ever given is in front_fds(), in the order of FrontFd.
 *
 * A private supervisor ends with its front. The service starts a new one: the jails and new layers of the
 * old one are ended first, since nobody knows what they were for, and its id, state and listening socket
 * go over, so that clients only see their connection close.
 */
#include "supervisor/monitor/front.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/accounts.h"
#include "base/fds.h"
#include "base/log.h"
#include "filter-front.h"
#include "sandbox/host-pids.h"
#include "supervisor/monitor/confined.h"
#include "supervisor/monitor/egress.h"
#include "supervisor/monitor/jails.h"
#include "supervisor/monitor/place.h"
#include "supervisor/monitor/store.h"

#define PROGRAM_MAX  (64u << 20)
#define RESTART_USEC 1000000 /* a front that dies at once does not keep the host busy */

_Static_assert(_FRONT_FD_MAX - FRONT_FD_MONITOR < CONFINED_FDS_MAX, "all of a front's descriptors");

void front_groups(Monitor *monitor) {
        bool service = !monitor->config->private_call;

        monitor->warder_gid = service ? accounts_group("warder") : UINT32_MAX;
        monitor->admin_gid = service ? accounts_group("warder-admin") : UINT32_MAX;
}

int front_ids(Monitor *monitor, Error *err) {
        uint32_t first;
        int r;

        if (!monitor->config->private_call &&
            accounts_user("warder", &monitor->front_id, &monitor->front_gid) &&
            accounts_user("warder-egress", &monitor->egress_id, &monitor->egress_gid))
                return 0;
        r = sandbox_claim_ids(monitor->sandbox, 2, &first, err);
        if (r < 0)
                return r;
        monitor->front_id = monitor->front_gid = first;
        monitor->egress_id = monitor->egress_gid = first + 1;
        return 0;
}

static int make_info(const Monitor *monitor, Error *err) {
        const SandboxFacts *facts = sandbox_facts(monitor->sandbox);
        struct sysinfo host = { 0 };
        FrontInfo info = { .version = 1,
                           .private_call = monitor->config->private_call,
                           .cgroup_mode = facts->cgroup_mode,
                           .landlock_abi = facts->landlock_abi,
                           .cpus = (uint32_t) get_nprocs(),
                           .owner_uid = getuid(),
                           .warder_gid = monitor->warder_gid,
                           .admin_gid = monitor->admin_gid,
                           .stale_lock = monitor->had_front && !monitor->kept_front };

        (void) sysinfo(&host);
        info.memory_total = (uint64_t) host.totalram * host.mem_unit;
        info.pids_total = host_pids();
        return memfd_sealed("info", &info, sizeof info, false, err);
}

/* A program that runs in jails comes as a sealed memfd: there it shares no inode with the host, and lies
 * in no file system that the jail's Landlock domain would have to open. */
static int jail_program(const Monitor *monitor, const char *name, Error *err) {
        autoclose int file = confined_program(monitor, name, err);

        return file < 0 ? file : memfd_sealed_from(name, file, PROGRAM_MAX, true, err);
}

/* Where no agent is installed: the front says so when it is asked for one. */
static int agent_or_null(const Monitor *monitor, Error *err) {
        int fd = jail_program(monitor, "warder-agent", err);

        return fd == -ENOENT ? open("/dev/null", O_RDONLY | O_CLOEXEC) : fd;
}

/*
 * What an administrator says bounds everybody, so nobody else may have a hand in it. Where there is no such
 * directory the shipped policies hold.
 */
static int config_or_null(const Monitor *monitor, Error *err) {
        int fd = confined_open(monitor->config->config_dir, ".", O_RDONLY | O_DIRECTORY, err);
        struct stat what;

        if (fd == -ENOENT) {
                *err = ERROR_EMPTY;
                return open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        if (fd < 0 || (fstat(fd, &what) == 0 && what.st_uid == 0 && !(what.st_mode & 022)))
                return fd;
        (void) close(fd);
        return error_say(err, -EPERM,
                         "%s must belong to root and be writable for nobody else: chown root, "
                         "chmod go-w",
                         monitor->config->config_dir);
}

/* What a host need not have; the front does without. */
static int open_or_null(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC);

        return fd < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : fd;
}

static int front_fds(Monitor *monitor, int *fds, Error *err) {
        const MonitorConfig *config = monitor->config;
        const char *policies = config->policies_dir;
        int r = confined_pair(&monitor->front_fd, &fds[FRONT_FD_MONITOR], err);

        if (r == 0)
                r = egress_start(monitor, &fds[FRONT_FD_EGRESS], err);
        if (r < 0)
                return r;
        fds[FRONT_FD_LISTEN] = fcntl(monitor->listen_fd, F_DUPFD_CLOEXEC, 0);
        fds[FRONT_FD_STATE] = place_front_state(monitor, err);
        fds[FRONT_FD_POLICIES] =
                confined_open(policies ? policies : config->data_dir, policies ? "." : "policies",
                              O_RDONLY | O_DIRECTORY, err);
        fds[FRONT_FD_CONFIG] = config_or_null(monitor, err);
        fds[FRONT_FD_FILES] = jail_program(monitor, "warder-files", err);
        fds[FRONT_FD_AGENT] = agent_or_null(monitor, err);
        fds[FRONT_FD_DATA] = confined_open(config->data_dir, ".", O_RDONLY | O_DIRECTORY, err);
        fds[FRONT_FD_PRESSURE] = open_or_null("/proc/pressure", O_RDONLY | O_DIRECTORY);
        fds[FRONT_FD_MEMINFO] = open_or_null("/proc/meminfo", O_RDONLY);
        fds[FRONT_FD_SOCKSTAT] = open_or_null("/proc/net/sockstat", O_RDONLY);
        fds[FRONT_FD_TCP_MEM] = open_or_null("/proc/sys/net/ipv4/tcp_mem", O_RDONLY);
        fds[FRONT_FD_ETC] = open_or_null("/etc", O_PATH | O_DIRECTORY);
        fds[FRONT_FD_AUDIT] = monitor->audit_fd >= 0 ? fcntl(monitor->audit_fd, F_DUPFD_CLOEXEC, 0)
                                                     : open("/dev/null", O_RDONLY | O_CLOEXEC);
        fds[FRONT_FD_LAYERS] = fcntl(store_dirs(monitor->store)->layers, F_DUPFD_CLOEXEC, 0);
        fds[FRONT_FD_KEY] = place_file(monitor, "receipt.key", O_RDWR, 0600, err);
        fds[FRONT_FD_KEY_PUBLIC] = place_file(monitor, "receipt.pub", O_RDWR, 0644, err);
        fds[FRONT_FD_ANCHORS] = place_file(monitor, "anchors", O_RDWR | O_APPEND, 0600, err);
        fds[FRONT_FD_INFO] = make_info(monitor, err);
        fds[FRONT_FD_FILTER] =
                memfd_sealed("filter", filter_front, sizeof filter_front, false, err);
        for (unsigned i = FRONT_FD_MONITOR; i <= _FRONT_FD_MAX; i++)
                if (fds[i] < 0)
                        return fds[i];
        return 0;
}

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata) {
        Monitor *monitor = userdata;
        Error err = ERROR_EMPTY;

        (void) usec;
        monitor->restart = sd_event_source_disable_unref(source);
        if (front_start(monitor, &err) == 0)
                return 0;
        log_event(LOG_ERR, "front cannot be started again", F_ERR(&err));
        monitor_drain(monitor, 1);
        return 0;
}

static void on_end(Monitor *monitor, int status) {
        Error err = ERROR_EMPTY;

        monitor->had_front = true;
        monitor->kept_front |= monitor->front.is_given_up;
        monitor->requests = sd_event_source_disable_unref(monitor->requests);
        fds_close(&monitor->front_fd, 1);
        if (monitor->phase == PHASE_DRAINING) {
                monitor_step(monitor);
                return;
        }
        if (status != 0)
                log_event(LOG_ERR, "front ended: its jails are ended");
        if (monitor->config->private_call) {
                monitor_drain(monitor, status == 0 ? 0 : 1);
                return;
        }
        entries_kill(monitor, false);
        monitor->new_layers = monitor->n_given_up = 0;
        if (store_drop_all(monitor->store, &err) < 0)
                log_event(LOG_ERR, "new layers of the front that ended are still there",
                          F_ERR(&err));
        if (sd_event_add_time_relative(monitor->event, &monitor->restart, CLOCK_MONOTONIC,
                                       RESTART_USEC, 0, on_restart, monitor) < 0)
                monitor_drain(monitor, 1);
}

int front_start(Monitor *monitor, Error *err) {
        int fds[_FRONT_FD_MAX + 1];
        ConfinedSpec spec = { .program = "warder-front",
                              .ended = on_end,
                              .uid = monitor->front_id,
                              .gid = monitor->front_gid,
                              .n_fds = _FRONT_FD_MAX - FRONT_FD_MONITOR + 1 };
        int r;

        for (unsigned i = 0; i < ELEMENTS(fds); i++)
                fds[i] = -EBADF;
        r = front_fds(monitor, fds, err);
        memcpy(spec.fds, fds + FRONT_FD_MONITOR, spec.n_fds * sizeof *fds);
        if (r == 0)
                r = confined_start(&monitor->front, &spec, err);
        if (r == 0)
                r = monitor_listen(monitor, err);
        fds_close(fds, ELEMENTS(fds));
        return r;
}

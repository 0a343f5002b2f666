/*
 * warderd: the monitor, the only process of warder with privilege. It builds jails and reads nothing but
 * structs of fixed size; whoever thinks is another process.
 *
 * Start-up, in this order: the kernel's audit records are subscribed to; the capabilities that are not
 * needed go, no_new_privs comes; directories and the lock; the store; the sandbox, which sweeps what a
 * killed supervisor of this name left; then egress, the front, and shells.
 *
 * Our mount namespace is the host's, or the unit's own where systemd made one. A caller's directory is a
 * descriptor on a mount of the caller's namespace; where that is another one, it is cloned there
 * (sandbox/priv-visit.c). Nothing is ever mounted here: each shell has a namespace of its own, and what is
 * prepared for it is detached and goes with its descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>

#include "base/fds.h"
#include "base/id-pool.h"
#include "base/log.h"
#include "base/options.h"
#include "sandbox/priv-caps.h"
#include "supervisor/monitor/confined.h"
#include "supervisor/monitor/front.h"
#include "supervisor/monitor/jails.h"
#include "supervisor/monitor/place.h"
#include "supervisor/monitor/shells.h"
#include "supervisor/monitor/store.h"

#define INSTANCE_MAX   32
#define SHELLS_MAX     64
#define SHELLS_SERVICE 4
#define SHELLS_PRIVATE 2 /* one call seldom needs more, and making them takes time from it */
#define EXIT_USAGE     2
#define EXIT_BUSY      75 /* another supervisor of this name is alive */

typedef struct Options {
        MonitorConfig config;
        bool help;
        bool version;
} Options;

#define AT(FIELD) offsetof(Options, config.FIELD)

static const Option options[] = {
        { "private", 0, OPTION_FLAG, AT(private_call), NULL,
          "Serve one caller and end when nobody needs it any more." },
        { "instance", 0, OPTION_TEXT, AT(instance), "NAME",
          "Name of this supervisor, in its groups and directories." },
        { "listen-fd", 0, OPTION_NUMBER, AT(listen_fd), "N",
          "Take the listening socket from there." },
        { "ready-fd", 0, OPTION_NUMBER, AT(ready_fd), "N", "Write one byte there when ready." },
        { "shells", 0, OPTION_NUMBER, AT(shells), "N", "Jails kept ready but for their plan." },
        { "id-base", 0, OPTION_NUMBER, AT(id_base), "ID", "First user id of the pool for jails." },
        { "id-ranges", 0, OPTION_NUMBER, AT(id_ranges), "N", "Ranges of 65,536 ids in the pool." },
        { "run-dir", 0, OPTION_TEXT, AT(run_dir), "DIR", "Directory of the socket." },
        { "state-dir", 0, OPTION_TEXT, AT(state_dir), "DIR", "Directory of store and ledger." },
        { "libexec-dir", 0, OPTION_TEXT, AT(libexec_dir), "DIR",
          "Directory of the other programs." },
        { "data-dir", 0, OPTION_TEXT, AT(data_dir), "DIR", "Directory of roles and workflows." },
        { "policies-dir", 0, OPTION_TEXT, AT(policies_dir), "DIR",
          "Directory of the shipped policies, if not below --data-dir." },
        { "config-dir", 0, OPTION_TEXT, AT(config_dir), "DIR",
          "Directory of the administrator's policies and ceilings." },
        { "help", 'h', OPTION_FLAG, offsetof(Options, help), NULL, "Show this text." },
        { "version", 0, OPTION_FLAG, offsetof(Options, version), NULL, "Show the version." },
        { 0 },
};

/* Each with its reason; the bounding set loses all others. */
static const uint8_t kept_caps[] = {
        CAP_SYS_ADMIN,    /* namespaces, mounts, id maps */
        CAP_NET_ADMIN,    /* lo of a jail's network namespace */
        CAP_SYS_CHROOT,   /* entering a mount namespace */
        CAP_MKNOD,        /* nodes of a jail's /dev */
        CAP_SETUID,       /* becoming init, front, egress; id maps */
        CAP_SETGID,       /* likewise */
        CAP_SETPCAP,      /* emptying their bounding sets */
        CAP_SETFCAP,      /* an id map that shows root's own directory */
        CAP_CHOWN,        /* new layers and uppers go to their range */
        CAP_FOWNER,       /* removing trees that ranges own */
        CAP_DAC_OVERRIDE, /* likewise */
        CAP_FSETID,       /* the builder's: modes of directories that a range's group owns */
        CAP_KILL,         /* jails and fronts */
        CAP_SYS_PTRACE,   /* namespaces of our own children that are not dumpable */
        CAP_SYS_RESOURCE, /* cgroup v1, where it is had: a jail's spawner is killed last for memory */
};

static int confine_ourselves(Error *err) {
        uint64_t keep = 0;
        int r;

        for (unsigned i = 0; i < ELEMENTS(kept_caps); i++)
                keep |= CAP_BIT(kept_caps[i]);
        r = caps_narrow(keep, err);
        if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                r = error_set(err, -errno, "forbid new privileges");
        return r < 0 ? error_add(err, r, "drop what the monitor does not need") : 0;
}

static int prepare_process(Monitor *monitor, Error *err) {
        struct rlimit files;
        const struct rlimit core = { 1, 1 }, none = { 0, 0 }; /* 1: see stage_alone() */

        if (geteuid() != 0)
                return error_say(err, -EPERM,
                                 "warderd builds jails, which needs root: start it as root");
        (void) umask(022);
        (void) signal(SIGPIPE, SIG_IGN);
        if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* nineteen descriptors a jail */
                files.rlim_cur = files.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &files);
        }
        if (syscall(SYS_close_range, ~0u, ~0u, 0) < 0) /* of none: each process of ours needs it */
                return error_set(err, -errno,
                                 "close descriptors by close_range(2), which a filter around "
                                 "warderd may refuse");
        if (chdir("/") < 0 ||
            (setrlimit(RLIMIT_CORE, &core) < 0 && setrlimit(RLIMIT_CORE, &none) < 0))
                return error_set(err, -errno, "prepare the monitor's process");
        monitor->audit_fd = place_audit(monitor->config); /* while CAP_AUDIT_READ is there */
        return confine_ourselves(err);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        (void) source;
        (void) info;
        monitor_drain(userdata, 0);
        return 0;
}

static int make_loop(Monitor *monitor, Error *err) {
        int r = sd_event_new(&monitor->event);

        if (r >= 0)
                r = sd_event_add_signal(monitor->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK,
                                        on_signal, monitor);
        if (r >= 0)
                r = sd_event_add_signal(monitor->event, NULL, SIGINT | SD_EVENT_SIGNAL_PROCMASK,
                                        on_signal, monitor);
        return r < 0 ? error_set(err, r, "start the event loop") : 0;
}

static int make_sandbox(Monitor *monitor, Error *err) {
        const MonitorConfig *config = monitor->config;
        autoclose int init = confined_program(monitor, "warder-init", err);
        SandboxConfig sandbox = { .instance = config->instance,
                                  .store_fd = store_dirs(monitor->store)->store,
                                  .ids_fd = monitor->ids_fd,
                                  .init_fd = init,
                                  .id_base = (uint32_t) config->id_base,
                                  .id_ranges = (uint32_t) config->id_ranges };

        return init < 0 ? init : sandbox_new(&sandbox, &monitor->sandbox, err);
}

static void say_ready(const MonitorConfig *config) {
        int fd = (int) config->ready_fd;

        if (config->ready_fd != UINT64_MAX) {
                (void) fd_write_all(fd, "\n", 1);
                (void) close(fd);
        }
        (void) sd_notify(0, "READY=1");
}

/* Gets ready while the front starts, and shows at once where this host cannot build jails. */
static int first_shell(Monitor *monitor, Error *err) {
        Entry *entry;

        return monitor->config->shells > 0 ? entry_new_shell(monitor, NULL, &entry, err) : 0;
}

static int run(Monitor *monitor, Error *err) {
        int r;

        r = prepare_process(monitor, err);
        if (r == 0)
                r = make_loop(monitor, err);
        front_groups(monitor);
        if (r == 0)
                r = place_init(monitor, err);
        if (r == 0)
                r = store_new(monitor, monitor->state_fd, &monitor->store, err);
        if (r == 0)
                r = make_sandbox(monitor, err);
        if (r == 0)
                r = front_ids(monitor, err);
        if (r == 0)
                r = first_shell(monitor, err);
        if (r == 0)
                r = front_start(monitor, err);
        if (r < 0)
                return r;
        if (!monitor->config->private_call)
                shells_refill(monitor, 0);
        say_ready(monitor->config);
        r = sd_event_loop(monitor->event);
        return r < 0 ? error_set(err, r, "the event loop failed") : r;
}

static void monitor_deinit(Monitor *monitor) {
        confined_deinit(&monitor->front);
        confined_deinit(&monitor->egress);
        entries_free(monitor);
        store_free(monitor->store);
        sandbox_free(monitor->sandbox);
        sd_event_source_disable_unref(monitor->requests);
        sd_event_source_disable_unref(monitor->refill);
        sd_event_source_disable_unref(monitor->restart);
        sd_event_source_disable_unref(monitor->egress_restart);
        sd_event_source_disable_unref(monitor->limit);
        fds_close(&monitor->front_fd, 1);
        fds_close(&monitor->audit_fd, 1);
        place_deinit(monitor);
        sd_event_unref(monitor->event);
}

static int check_config(const MonitorConfig *config, Error *err) {
        size_t n = strspn(config->instance, "abcdefghijklmnopqrstuvwxyz0123456789-");

        if (n == 0 || config->instance[n] != '\0' || n > INSTANCE_MAX)
                return error_say(err, -EINVAL, "--instance %.40s: use a-z, 0-9 and '-', at most %d",
                                 config->instance, INSTANCE_MAX);
        if (config->shells > SHELLS_MAX)
                return error_say(err, -EINVAL, "--shells: at most %d", SHELLS_MAX);
        if (config->id_base < JAIL_IDS || config->id_ranges < 2 ||
            config->id_base + config->id_ranges * JAIL_IDS > UINT32_MAX)
                return error_say(err, -EINVAL, "--id-base, --id-ranges: no such pool of ids");
        return 0;
}

/* Unless told: the service has the well-known socket, a private one a directory of its own. */
static int choose_defaults(MonitorConfig *config, char **ret_run, char **ret_state) {
        if (!config->instance)
                config->instance = config->private_call ? "private" : "system";
        if (asprintf(ret_run, "%s%s%s", RUNDIR, config->private_call ? "/" : "",
                     config->private_call ? config->instance : "") < 0 ||
            asprintf(ret_state, "%s/%s", STATEDIR, config->instance) < 0)
                return -ENOMEM;
        if (config->shells == UINT64_MAX)
                config->shells = config->private_call ? SHELLS_PRIVATE : SHELLS_SERVICE;
        if (!config->run_dir)
                config->run_dir = *ret_run;
        if (!config->state_dir)
                config->state_dir = *ret_state;
        return 0;
}

static int serve(MonitorConfig *config) {
        Monitor monitor = { .config = config,
                            .run_fd = -EBADF,
                            .state_fd = -EBADF,
                            .ids_fd = -EBADF,
                            .listen_fd = -EBADF,
                            .front_fd = -EBADF,
                            .audit_fd = -EBADF,
                            .front = { .monitor = &monitor, .pidfd = -EBADF },
                            .egress = { .monitor = &monitor, .pidfd = -EBADF } };
        autofree char *run_dir = NULL, *state_dir = NULL;
        Error err = ERROR_EMPTY;
        int r;

        if (choose_defaults(config, &run_dir, &state_dir) < 0)
                return EXIT_FAILURE;
        if (check_config(config, &err) < 0) {
                fprintf(stderr, "warderd: %s\n", err.text);
                return EXIT_USAGE;
        }
        r = run(&monitor, &err);
        if (r < 0)
                log_event(LOG_ERR, "cannot go on", F_ERR(&err));
        monitor_deinit(&monitor);
        return r == -EBUSY ? EXIT_BUSY : r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv) {
        Options all = { .config = { .libexec_dir = LIBEXECDIR,
                                    .data_dir = DATADIR,
                                    .config_dir = SYSCONFDIR,
                                    .listen_fd = UINT64_MAX,
                                    .ready_fd = UINT64_MAX,
                                    .shells = UINT64_MAX,
                                    .id_base = ID_POOL_BASE,
                                    .id_ranges = ID_POOL_RANGES } };
        Error err = ERROR_EMPTY;
        int rest = argc;

        log_open("warderd", LOG_INFO);
        if (options_parse(options, argc, argv, false, &all, &rest, &err) < 0 || rest < argc) {
                fprintf(stderr, "warderd: %s\n",
                        err.code < 0 ? err.text : "takes options only, see --help");
                return EXIT_USAGE;
        }
        if (all.help) {
                autofree char *rows = options_help(options);

                printf("Usage: warderd [OPTION]...\nBuild jails for untrusted commands.\n\n%s",
                       rows ? rows : "");
                return 0;
        }
        if (all.version) {
                puts("warderd " PACKAGE_VERSION);
                return 0;
        }
        return serve(&all.config);
}

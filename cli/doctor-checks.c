/*
 * doctor-checks: the table: one row a check, its function, what its absence costs, and what to do.
 */
#include "cli/doctor-checks.h"

#include <sys/syscall.h>

#include "cli/doctor-disks.h"
#include "cli/doctor-find.h"
#include "cli/doctor-host.h"
#include "cli/doctor-trials.h"

#define CALL(NAME, NUMBER, COST)                                                                  \
        {                                                                                         \
                .name = NAME, .run = find_call, .required = true, .number = NUMBER, .cost = COST, \
                .remedy = "Linux 6.1 or newer; a container's filter must allow the call"          \
        }
#define SETTING(NAME, PATH, GOOD, COST, REMEDY)                                              \
        {                                                                                    \
                .name = NAME, .run = find_setting, .path = PATH, .good = GOOD, .cost = COST, \
                .remedy = REMEDY                                                             \
        }
#define CONTROLLER(NAME, NEED, COST)                                                    \
        {                                                                               \
                .name = "controller " NAME, .run = host_controller, .required = NEED,   \
                .path = NAME, .cost = COST,                                             \
                .remedy = "enable it on the kernel's command line, or mount the groups" \
        }
#define TRIAL(NAME, RUN, NEED, COST, REMEDY) \
        { .name = NAME, .run = RUN, .required = NEED, .cost = COST, .remedy = REMEDY }
#define ABOUT(NAME, RUN, PATH, COST, REMEDY) \
        { .name = NAME, .run = RUN, .path = PATH, .cost = COST, .remedy = REMEDY }

static const Check checks[] = {
        TRIAL("kernel", host_kernel, true, "no jail can be made", "run Linux 6.1 or newer"),
        TRIAL("capabilities", host_capabilities, true, "no jail can be made",
              "be root; give a container what is lacking"),
        TRIAL("cgroup v2 tree", host_v2, true, "commands cannot be ended as a whole",
              "mount cgroup2, on a hybrid host at /sys/fs/cgroup/unified"),
        TRIAL("cgroups writable", host_writable, true, "no jail can be limited",
              "mount the groups writable into the container, or run on the host"),
        TRIAL("cgroup.kill", host_kill, true, "commands cannot be ended as a whole",
              "run Linux 5.14 or newer"),
        CONTROLLER("memory", true, "no jail can be limited"),
        CONTROLLER("pids", true, "no jail can be limited"),
        CONTROLLER("cpu", true, "no jail can be limited"),
        CONTROLLER("cpuset", false, "a policy with cpuset makes no jail"),
        CONTROLLER("io", false, "a policy with io_read or io_write makes no jail"),
        ABOUT("overlay", host_file_system, "overlay", "no copy-on-write root", "modprobe overlay"),
        TRIAL("overlay on tmpfs", try_overlay, false, "no copy-on-write root or directory",
              "run Linux 6.6 or newer, where a tmpfs has attributes under user."),
        TRIAL("overlay layers", try_overlay_layers, false,
              "layers are named by path, which takes longer", "run Linux 6.13 or newer"),
        TRIAL("mount API", try_mount_api, true, "no root can be built by descriptors",
              "a container's filter must allow fsopen, fsconfig and fsmount"),
        TRIAL("idmap of tmpfs", try_idmap, false, "changes cannot be saved by an id map",
              "run Linux 6.3 or newer"),
        ABOUT("idmap of the state", try_idmap, STATEDIR, "no imported roots",
              "put the state directory on ext4, xfs or btrfs"),
        TRIAL("loop devices", disks_loop, false, "no persistent workspaces",
              "modprobe loop; a container needs /dev/loop-control and the devices"),
        TRIAL("mke2fs", disks_mke2fs, false, "no persistent workspaces",
              "install the package e2fsprogs"),
        ABOUT("ext4", host_file_system, "ext4", "no persistent workspaces", "modprobe ext4"),
        ABOUT("idmap of this directory", try_idmap, ".",
              "--rw of it fails; without --rw it is packed and imported, which takes time",
              "work on ext4, xfs, btrfs or tmpfs"),
        TRIAL("openat2", try_openat2, true, "files of jails cannot be opened safely",
              "a container's filter must allow the call"),
        TRIAL("clone3", try_clone_into, true, "commands cannot be born in their group",
              "a container's filter must allow the call"),
        CALL("pidfd_open", SYS_pidfd_open, "processes cannot be named safely"),
        CALL("close_range", SYS_close_range, "descriptors cannot be closed as a whole"),
        TRIAL("SO_PEERPIDFD", try_peer_pidfd, false,
              "a caller is known by its number, which another may get", "run Linux 6.5 or newer"),
        TRIAL("PIDFD_GET_INFO", try_pidfd_info, false, "no jail needs it: said for reports", "-"),
        TRIAL("seccomp notify", try_notify, false, "no jail needs it: said for reports", "-"),
        { .name = "namespaces",
          .run = find_file,
          .required = true,
          .path = "/proc/self/ns/user",
          .cost = "no jail can be made",
          .remedy = "a kernel with user namespaces" },
        TRIAL("namespaces allowed", host_namespaces, true, "each jail has one of each kind",
              "raise user.max_*_namespaces (sysctl)"),
        { .name = "seccomp",
          .run = find_file,
          .required = true,
          .path = "/proc/sys/kernel/seccomp/actions_avail",
          .cost = "no filters, so no jails",
          .remedy = "a kernel with CONFIG_SECCOMP_FILTER" },
        TRIAL("seccomp records", host_records, false,
              "no end has the cause seccomp: what a filter killed is said to be signaled",
              "boot without audit=0; kernel.seccomp.actions_logged needs kill_process and log"),
        { .name = "landlock",
          .run = host_landlock,
          .number = SYS_landlock_create_ruleset,
          .cost = "the second wall is absent, strict makes no jail",
          .remedy = "add landlock to lsm= on the kernel's command line" },
        ABOUT("psi", find_file, "/proc/pressure/memory", "creates are not held back under pressure",
              "psi=1 on the kernel's command line"),
        TRIAL("ids given away", host_subuid, false, "those ranges are not used for jails",
              "take the lines out of /etc/subuid and /etc/subgid, or see --id-base"),
        TRIAL("ids held", host_ids, false, "no more jails where all are held", "end some jails"),
        SETTING("executable memfds", "/proc/sys/vm/memfd_noexec", "01",
                "2 forbids the start of init", "set vm.memfd_noexec to 0 or 1"),
        SETTING("dmesg_restrict", "/proc/sys/kernel/dmesg_restrict", "1",
                "users of the host read the kernel's log; jails do not", "set it to 1"),
        SETTING("kptr_restrict", "/proc/sys/kernel/kptr_restrict", "12",
                "addresses of the kernel are shown", "set it to 1"),
        SETTING("unprivileged bpf", "/proc/sys/kernel/unprivileged_bpf_disabled", "12",
                "users of the host may load programs; jails may not", "set it to 1"),
        SETTING("protected_symlinks", "/proc/sys/fs/protected_symlinks", "1",
                "links in /tmp are followed for root; warder does not rely on it", "set it to 1"),
        SETTING("protected_hardlinks", "/proc/sys/fs/protected_hardlinks", "1",
                "files of others can be linked; warder does not rely on it", "set it to 1"),
        SETTING("yama", "/proc/sys/kernel/yama/ptrace_scope", "123",
                "users trace their own processes; jails do not", "add yama to lsm="),
        SETTING("apparmor userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "01",
                "none: the supervisor makes namespaces as root", "-"),
        SETTING("unprivileged userns", "/proc/sys/kernel/unprivileged_userns_clone", "01",
                "none: the supervisor makes namespaces as root", "-"),
        TRIAL("selinux", host_selinux, false, "its policy may refuse what a jail is built of",
              "where a create fails with EACCES, look for AVC in the audit log"),
        ABOUT("processor", host_faults, "/sys/devices/system/cpu/vulnerabilities",
              "a jail may read what others compute", "update kernel and microcode"),
        SETTING("hyperthreads", "/sys/devices/system/cpu/smt/active", "0",
                "two jails may share a core and its caches",
                "nosmt, or a cpuset of whole cores for each policy"),
        TRIAL("swap", host_swap, false,
              "jails get none where the controller knows it; on v1 it may not", "swapaccount=1"),
        ABOUT("room for state", host_room, STATEDIR, "imports and kept jails will fail",
              "free some"),
        ABOUT("group warder", host_group, "warder", "only root can use the service",
              "systemd-sysusers, then usermod -aG warder USER"),
        ABOUT("group warder-admin", host_group, "warder-admin", "only root sees all users' jails",
              "systemd-sysusers"),
        ABOUT("unit warder.socket", host_unit, "warder.socket", "the service is not started",
              "make install"),
        ABOUT("unit warder.service", host_unit, "warder.service", "the service is not started",
              "make install"),
};

unsigned doctor_checks(cJSON *rows) {
        static const char *const names[_STATE_MAX] = { "ok", "missing", "weak", "unknown" };
        unsigned missing = 0;

        for (unsigned i = 0; i < ELEMENTS(checks); i++) {
                char found[FOUND_MAX] = "";
                State state = checks[i].run(&checks[i], found);
                cJSON *row = cJSON_CreateObject();

                json_add_text(row, "check", checks[i].name);
                json_add_text(row, "state", names[state]);
                json_add_text(row, "need", checks[i].required ? "required" : "optional");
                json_add_text(row, "found", found);
                json_add_text(row, "cost", state == STATE_OK ? "" : checks[i].cost);
                json_add_text(row, "remedy", state == STATE_OK ? "" : checks[i].remedy);
                json_push_consume(rows, row);
                missing += state == STATE_MISSING && checks[i].required;
        }
        return missing;
}

/*
 * doctor-checks: one row a check. A system call is looked for with arguments that it refuses (any answer but
 * ENOSYS says that it is there), a setting by its file. What a user may not read is "unknown", never "ok".
 */
#include "cli/doctor-checks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define FOUND_MAX    96
#define KERNEL_MAJOR 6
#define KERNEL_MINOR 1
#define DISK_LEAST   (UINT64_C(1) << 30)
#define INODES_LEAST 10000u

typedef enum State { STATE_OK, STATE_MISSING, STATE_WEAK, STATE_UNKNOWN } State;

typedef struct Check Check;

struct Check {
        const char *name;
        bool required; /* by every jail */
        State (*run)(const Check *check, char *found);
        const char *advice; /* what it costs, what to do */
        long number;        /* of a system call */
        const char *path;   /* of a setting */
        const char *good;   /* values of it, one letter each; NULL: being there is enough */
};

static State find_kernel(const Check *check, char *found) {
        struct utsname name;
        unsigned major = 0, minor = 0;

        (void) check;
        (void) uname(&name);
        (void) snprintf(found, FOUND_MAX, "%.60s", name.release);
        (void) sscanf(name.release, "%u.%u", &major, &minor);
        return major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)
                       ? STATE_OK
                       : STATE_MISSING;
}

static State find_call(const Check *check, char *found) {
        long r = syscall(check->number, -1L, NULL, -1L, NULL, 0L, 0L);

        (void) snprintf(found, FOUND_MAX, "%s", r < 0 ? strerrorname_np(errno) : "there");
        if (r < 0 && errno == ENOSYS)
                return STATE_MISSING;
        return r < 0 && errno == EPERM ? STATE_UNKNOWN : STATE_OK;
}

static State find_landlock(const Check *check, char *found) {
        long abi = syscall(check->number, NULL, 0, 1);

        (void) snprintf(found, FOUND_MAX, abi > 0 ? "ABI %ld" : "none", abi);
        return abi >= 2 ? STATE_OK : STATE_MISSING;
}

static State find_file(const Check *check, char *found) {
        if (access(check->path, F_OK) == 0) {
                (void) snprintf(found, FOUND_MAX, "%s", check->path);
                return STATE_OK;
        }
        (void) snprintf(found, FOUND_MAX, "%s: %s", check->path, strerrorname_np(errno));
        return errno == EACCES ? STATE_UNKNOWN : STATE_MISSING;
}

/* A setting that is not there is the setting of a kernel that lacks what it guards: said, not judged */
static State find_setting(const Check *check, char *found) {
        FILE *file = fopen(check->path, "re");
        char value[32] = "";

        if (!file) {
                (void) snprintf(found, FOUND_MAX, "%s", strerrorname_np(errno));
                return STATE_UNKNOWN;
        }
        if (fgets(value, sizeof(value), file))
                value[strcspn(value, "\n")] = 0;
        (void) fclose(file);
        (void) snprintf(found, FOUND_MAX, "%s", value);
        return value[0] && !value[1] && strchr(check->good, value[0]) ? STATE_OK : STATE_WEAK;
}

static State find_line(const char *path, const char *part, char *found) {
        FILE *file = fopen(path, "re");
        char line[1024];
        State state = STATE_MISSING;

        while (file && fgets(line, sizeof(line), file))
                if (strstr(line, part))
                        state = STATE_OK;
        if (!file)
                state = STATE_UNKNOWN;
        else
                (void) fclose(file);
        (void) snprintf(found, FOUND_MAX, "%s%s", state == STATE_OK ? "" : "no ", part);
        return state;
}

/* Of v1 a hierarchy for each; of v2 what the root says it has */
static State find_controller(const Check *check, char *found) {
        char part[FOUND_MAX];

        if (find_line("/sys/fs/cgroup/cgroup.controllers", check->path, found) == STATE_OK)
                return STATE_OK;
        (void) snprintf(part, sizeof(part), "cgroup/%s", check->path);
        if (find_line("/proc/self/mounts", part, found) == STATE_OK)
                return STATE_OK;
        (void) snprintf(part, sizeof(part), ",%s ", check->path);
        return find_line("/proc/self/mounts", part, found);
}

static State find_v2(const Check *check, char *found) {
        (void) check;
        return find_line("/proc/self/mounts", " cgroup2 ", found);
}

static State find_file_system(const Check *check, char *found) {
        State state = find_line("/proc/filesystems", check->path, found);

        return state == STATE_MISSING ? STATE_WEAK : state; /* a module that is not loaded yet */
}

static State find_capabilities(const Check *check, char *found) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };

        (void) check;
        if (geteuid() != 0) {
                (void) snprintf(found, FOUND_MAX, "only root can see them");
                return STATE_UNKNOWN;
        }
        (void) syscall(SYS_capget, &head, data);
        (void) snprintf(found, FOUND_MAX, "%08x%08x", data[1].effective, data[0].effective);
        return data[0].effective & BIT(CAP_SYS_ADMIN) && data[0].effective & BIT(CAP_SETUID)
                       ? STATE_OK
                       : STATE_MISSING;
}

static State find_swap(const Check *check, char *found) {
        FILE *file = fopen("/proc/swaps", "re");
        char line[256];
        unsigned n = 0;

        (void) check;
        while (file && fgets(line, sizeof(line), file))
                n++;
        if (file)
                (void) fclose(file);
        (void) snprintf(found, FOUND_MAX, n > 1 ? "%u areas" : "none", n - 1);
        return file ? n > 1 ? STATE_WEAK : STATE_OK : STATE_UNKNOWN;
}

static State find_room(const Check *check, char *found) {
        struct statvfs fs;

        if (statvfs(check->path, &fs) < 0 && statvfs("/var/lib", &fs) < 0) {
                (void) snprintf(found, FOUND_MAX, "%s", strerrorname_np(errno));
                return STATE_UNKNOWN;
        }
        (void) snprintf(found, FOUND_MAX, "%llu MB, %llu inodes free",
                        (unsigned long long) (fs.f_bavail * fs.f_frsize >> 20),
                        (unsigned long long) fs.f_favail);
        return fs.f_bavail * fs.f_frsize < DISK_LEAST || (fs.f_files && fs.f_favail < INODES_LEAST)
                       ? STATE_WEAK
                       : STATE_OK;
}

#define CALL(NAME, NUMBER, NEED, ADVICE) \
        { .name = NAME, .required = NEED, .run = find_call, .number = NUMBER, .advice = ADVICE }
#define SETTING(NAME, PATH, GOOD, ADVICE) \
        { .name = NAME, .run = find_setting, .path = PATH, .good = GOOD, .advice = ADVICE }
#define CONTROLLER(NAME)                                                                   \
        {                                                                                  \
                .name = "controller " NAME, .required = true, .run = find_controller,      \
                .path = NAME,                                                              \
                .advice = "no jail can be limited: enable it on the kernel's command line" \
        }

static const Check checks[] = {
        { .name = "kernel",
          .required = true,
          .run = find_kernel,
          .advice = "Linux 6.1 or newer is needed: no jail can be made" },
        { .name = "capabilities",
          .required = true,
          .run = find_capabilities,
          .advice = "run as root, in a container with CAP_SYS_ADMIN: no jail can be made" },
        { .name = "cgroup v2 tree",
          .required = true,
          .run = find_v2,
          .advice = "commands cannot be ended as a whole: mount cgroup2" },
        CONTROLLER("memory"),
        CONTROLLER("pids"),
        CONTROLLER("cpu"),
        { .name = "overlay",
          .run = find_file_system,
          .path = "overlay",
          .advice = "no copy-on-write root: modprobe overlay" },
        CALL("openat2", SYS_openat2, true, "files of jails cannot be opened safely"),
        CALL("pidfd_open", SYS_pidfd_open, true, "processes cannot be named safely"),
        CALL("close_range", SYS_close_range, true, "descriptors cannot be closed as a whole"),
        { .name = "namespaces",
          .required = true,
          .run = find_file,
          .path = "/proc/self/ns/user",
          .advice = "no jail can be made: a kernel with user namespaces is needed" },
        { .name = "seccomp",
          .required = true,
          .run = find_file,
          .path = "/proc/sys/kernel/seccomp/actions_avail",
          .advice = "no filters: a kernel with CONFIG_SECCOMP_FILTER is needed" },
        { .name = "landlock",
          .run = find_landlock,
          .number = SYS_landlock_create_ruleset,
          .advice = "the second wall is absent, strict makes no jail: add it to lsm=" },
        { .name = "psi",
          .run = find_file,
          .path = "/proc/pressure/memory",
          .advice = "creates are not held back under pressure: psi=1" },
        SETTING("executable memfds", "/proc/sys/vm/memfd_noexec", "01",
                "2 forbids the start of init: set vm.memfd_noexec to 0 or 1"),
        SETTING("dmesg_restrict", "/proc/sys/kernel/dmesg_restrict", "1",
                "users of the host read the kernel's log; jails do not"),
        SETTING("kptr_restrict", "/proc/sys/kernel/kptr_restrict", "12",
                "addresses of the kernel are shown: set it to 1"),
        SETTING("unprivileged bpf", "/proc/sys/kernel/unprivileged_bpf_disabled", "12",
                "users of the host may load programs; jails may not"),
        SETTING("protected_symlinks", "/proc/sys/fs/protected_symlinks", "1",
                "links in /tmp are followed for root; warder does not rely on it"),
        SETTING("protected_hardlinks", "/proc/sys/fs/protected_hardlinks", "1",
                "files of others can be linked; warder does not rely on it"),
        SETTING("yama", "/proc/sys/kernel/yama/ptrace_scope", "123",
                "without Yama users trace their own processes; jails do not"),
        SETTING("apparmor userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "01",
                "said for other tools: warder's supervisor makes namespaces as root"),
        SETTING("unprivileged userns", "/proc/sys/kernel/unprivileged_userns_clone", "01",
                "said for other tools"),
        { .name = "swap",
          .run = find_swap,
          .advice = "jails get no swap where the controller knows it; on v1 see swapaccount=1" },
        { .name = "room for state",
          .run = find_room,
          .path = STATEDIR,
          .advice = "imports and kept jails will fail: free some" },
        { .name = "service",
          .run = find_file,
          .path = RUNDIR "/warder.sock",
          .advice = "only root can use warder, by private supervisors: start warder.socket" },
};

unsigned doctor_checks(cJSON *rows) {
        static const char *const names[] = { "ok", "missing", "weak", "unknown" };
        unsigned missing = 0;

        for (unsigned i = 0; i < ELEMENTS(checks); i++) {
                char found[FOUND_MAX] = "";
                State state = checks[i].run(&checks[i], found);
                cJSON *row = cJSON_CreateObject();

                json_add_text(row, "check", checks[i].name);
                json_add_text(row, "state", names[state]);
                json_add_text(row, "need", checks[i].required ? "required" : "optional");
                json_add_text(row, "found", found);
                json_add_text(row, "advice", state == STATE_OK ? "" : checks[i].advice);
                json_push_consume(rows, row);
                missing += state == STATE_MISSING && checks[i].required;
        }
        return missing;
}

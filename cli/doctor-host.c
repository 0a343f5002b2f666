/*
 * doctor-host: see doctor-host.h. Nothing is changed, nothing is kept open.
 */
#include "cli/doctor-host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <mntent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/audit-socket.h"
#include "base/id-pool.h"
#include "base/owned.h"

#define KERNEL_MAJOR   6
#define KERNEL_MINOR   1
#define DISK_LEAST     (UINT64_C(1) << 30)
#define INODES_LEAST   10000u
#define SPACES_LEAST   1000u /* namespaces: jails have one of each kind */
#define RANGE          65536u
#define IDS_FREE_LEAST 16u

State host_kernel(const Check *check, char *found) {
        struct utsname name;
        unsigned major = 0, minor = 0;

        (void) check;
        (void) uname(&name);
        found_set(found, "%.60s", name.release);
        (void) sscanf(name.release, "%u.%u", &major, &minor);
        return major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)
                       ? STATE_OK
                       : STATE_MISSING;
}

/* What the monitor keeps, each for the reason that supervisor/monitor/main.c gives */
static const struct {
        unsigned number;
        const char *name;
} capabilities[] = {
        { CAP_SYS_ADMIN, "SYS_ADMIN" },
        { CAP_NET_ADMIN, "NET_ADMIN" },
        { CAP_SYS_CHROOT, "SYS_CHROOT" },
        { CAP_MKNOD, "MKNOD" },
        { CAP_SETUID, "SETUID" },
        { CAP_SETGID, "SETGID" },
        { CAP_SETPCAP, "SETPCAP" },
        { CAP_SETFCAP, "SETFCAP" },
        { CAP_CHOWN, "CHOWN" },
        { CAP_FOWNER, "FOWNER" },
        { CAP_DAC_OVERRIDE, "DAC_OVERRIDE" },
        { CAP_FSETID, "FSETID" },
        { CAP_KILL, "KILL" },
        { CAP_SYS_PTRACE, "SYS_PTRACE" },
};

State host_capabilities(const Check *check, char *found) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };
        char lacks[FOUND_MAX] = "";
        size_t n = 0;

        (void) check;
        if (geteuid() != 0) {
                found_set(found, "the supervisor's, which only root can see; you need none");
                return STATE_UNKNOWN;
        }
        (void) syscall(SYS_capget, &head, data);
        for (unsigned i = 0; i < ELEMENTS(capabilities) && n < sizeof(lacks); i++)
                if (!(data[0].effective & BIT(capabilities[i].number)))
                        n += (size_t) snprintf(lacks + n, sizeof(lacks) - n, " %s",
                                               capabilities[i].name);
        if (n)
                found_set(found, "lacks%.110s", lacks);
        else
                found_set(found, "all %zu that the monitor keeps", ELEMENTS(capabilities));
        return n ? STATE_MISSING : STATE_OK;
}

State host_records(const Check *check, char *found) {
        Error err = ERROR_EMPTY;
        autoclose int fd = audit_socket_open(&err);
        autoclose int logged =
                open("/proc/sys/kernel/seccomp/actions_logged", O_RDONLY | O_CLOEXEC);
        char actions[256] = "";

        (void) check;
        if (fd < 0) {
                found_set(found, "%.120s", err.text);
                return geteuid() == 0 ? STATE_MISSING : STATE_UNKNOWN;
        }
        if (logged < 0 || read(logged, actions, sizeof(actions) - 1) <= 0 ||
            !strstr(actions, "kill_process") || !strstr(actions, "log")) {
                found_set(found, "kills are not recorded");
                return STATE_MISSING;
        }
        found_set(found, "they can be read");
        return STATE_OK;
}

State host_landlock(const Check *check, char *found) {
        long abi = syscall(check->number, NULL, 0, 1);

        if (abi > 0)
                found_set(found, "ABI %ld", abi);
        else
                found_set(found, "none");
        return abi >= 2 ? STATE_OK : STATE_MISSING;
}

/* ---- control groups ------------------------------------------------------------------------------ */

/* Where a file system of @type is mounted with @option (NULL: any). Returns: is there one */
static bool find_groups(const char *type, const char *option, char *path, size_t n) {
        FILE *file = setmntent("/proc/self/mounts", "re");
        const struct mntent *entry;
        bool is_found = false;

        while (file && !is_found && (entry = getmntent(file)))
                if (strcmp(entry->mnt_type, type) == 0 && (!option || hasmntopt(entry, option))) {
                        (void) snprintf(path, n, "%s", entry->mnt_dir);
                        is_found = true;
                }
        if (file)
                (void) endmntent(file);
        return is_found;
}

State host_v2(const Check *check, char *found) {
        char path[256];

        (void) check;
        if (!find_groups("cgroup2", NULL, path, sizeof(path))) {
                found_set(found, "none is mounted");
                return STATE_MISSING;
        }
        found_set(found, "%.100s", path);
        return STATE_OK;
}

State host_writable(const Check *check, char *found) {
        struct statvfs fs;
        char path[256];

        (void) check;
        if (!find_groups("cgroup2", NULL, path, sizeof(path)) || statvfs(path, &fs) < 0) {
                found_set(found, "none is mounted");
                return STATE_MISSING;
        }
        found_set(found, "%.80s%s", path, fs.f_flag & ST_RDONLY ? " is read-only" : "");
        return fs.f_flag & ST_RDONLY ? STATE_MISSING : STATE_OK;
}

/* By its number: where nothing on the host shows it, for want of something to look at */
static bool kernel_is(unsigned major, unsigned minor) {
        struct utsname host;
        unsigned at[2] = { 0 };

        if (uname(&host) < 0 || sscanf(host.release, "%u.%u", &at[0], &at[1]) != 2) /* NOLINT */
                return false;
        return at[0] > major || (at[0] == major && at[1] >= minor);
}

/* The root of a tree has no cgroup.kill: the first group in it tells, or else the kernel's number */
State host_kill(const Check *check, char *found) {
        char path[256], file[600];
        const struct dirent *entry;
        State state = STATE_UNKNOWN;
        DIR *dir;

        (void) check;
        if (!find_groups("cgroup2", NULL, path, sizeof(path)) || !(dir = opendir(path)))
                return STATE_UNKNOWN;
        found_set(found, "%.80s has no group to look at", path);
        while (state == STATE_UNKNOWN && (entry = readdir(dir))) {
                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                (void) snprintf(file, sizeof(file), "%s/%s/cgroup.kill", path, entry->d_name);
                state = access(file, F_OK) == 0 ? STATE_OK : STATE_MISSING;
                found_set(found, "%.120s", file);
        }
        (void) closedir(dir);
        if (state == STATE_UNKNOWN && kernel_is(5, 14)) {
                found_set(found, "the kernel is 5.14 or newer");
                return STATE_OK;
        }
        return state;
}

static bool has_word(const char *line, const char *word) {
        size_t n = strlen(word);

        for (const char *at = line; (at = strstr(at, word)); at += n)
                if ((at == line || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0))
                        return true;
        return false;
}

static bool is_delegated(const char *root, const char *file, const char *controller) {
        char path[320], line[512];

        (void) snprintf(path, sizeof(path), "%s/%s", root, file);
        return find_first_line(path, line, sizeof(line)) && has_word(line, controller);
}

/* Of v1 a hierarchy for each, mounted; of v2 what the root has, and whether groups below it have it too */
State host_controller(const Check *check, char *found) {
        const char *word = check->path;
        char path[256];

        if (find_groups("cgroup2", NULL, path, sizeof(path)) &&
            is_delegated(path, "cgroup.controllers", word)) {
                bool below = is_delegated(path, "cgroup.subtree_control", word);

                found_set(found, "v2%s", below ? "" : ", not yet given to groups");
                return STATE_OK;
        }
        if (strcmp(word, "io") == 0)
                word = "blkio"; /* its name in v1 */
        if (!find_groups("cgroup", word, path, sizeof(path))) {
                found_set(found, "neither in v2 nor mounted as v1");
                return STATE_MISSING;
        }
        found_set(found, "v1, %.100s", path);
        return access(path, W_OK) == 0 || geteuid() != 0 ? STATE_OK : STATE_MISSING;
}

State host_file_system(const Check *check, char *found) {
        State state = find_line("/proc/filesystems", check->path, found);

        return state == STATE_MISSING ? STATE_WEAK : state; /* a module that is not loaded yet */
}

/* ---- namespaces and ids --------------------------------------------------------------------------- */

State host_namespaces(const Check *check, char *found) {
        static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };
        unsigned long least = ~0ul;
        const char *which = "";
        char path[64], line[32];

        (void) check;
        for (unsigned i = 0; i < ELEMENTS(kinds); i++) {
                unsigned long n = 0;

                (void) snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kinds[i]);
                if (find_first_line(path, line, sizeof(line)))
                        n = strtoul(line, NULL, 10);
                if (n < least) {
                        least = n;
                        which = kinds[i];
                }
        }
        found_set(found, "%lu of each, %s the fewest", least, which);
        if (least == 0)
                return STATE_MISSING;
        return least < SPACES_LEAST ? STATE_WEAK : STATE_OK;
}

/* Does a line "NAME:FIRST:COUNT" of @path overlap the pool */
static bool gives_away(const char *path, char *found) {
        FILE *file = fopen(path, "re");
        unsigned long long first, n, end = ID_POOL_BASE + (uint64_t) ID_POOL_RANGES * RANGE;
        char line[256];
        bool is_found = false;

        while (file && !is_found && fgets(line, sizeof(line), file))
                if (sscanf(line, "%*[^:]:%llu:%llu", &first, &n) == 2 && first < end &&
                    first + n > ID_POOL_BASE) {
                        line[strcspn(line, "\n")] = 0;
                        found_set(found, "%s: %.80s", path, line);
                        is_found = true;
                }
        if (file)
                (void) fclose(file);
        return is_found;
}

State host_subuid(const Check *check, char *found) {
        (void) check;
        if (gives_away("/etc/subuid", found) || gives_away("/etc/subgid", found))
                return STATE_WEAK;
        found_set(found, "nothing of %u to %llu", ID_POOL_BASE,
                  ID_POOL_BASE + (unsigned long long) ID_POOL_RANGES * RANGE - 1);
        return STATE_OK;
}

State host_ids(const Check *check, char *found) {
        DIR *dir = opendir(ID_CLAIMS_DIR);
        const struct dirent *entry;
        unsigned held = 0;

        (void) check;
        if (!dir && errno == EACCES) {
                found_set(found, "only root can see them");
                return STATE_UNKNOWN;
        }
        while (dir && (entry = readdir(dir)))
                held += entry->d_name[0] != '.';
        if (dir)
                (void) closedir(dir);
        found_set(found, "%u of %u ranges are held", held, ID_POOL_RANGES);
        return held + IDS_FREE_LEAST > ID_POOL_RANGES ? STATE_WEAK : STATE_OK;
}

State host_group(const Check *check, char *found) {
        FILE *file = fopen("/etc/group", "re");
        char line[1024];
        size_t n = strlen(check->path);
        State state = STATE_WEAK;

        while (file && fgets(line, sizeof(line), file))
                if (strncmp(line, check->path, n) == 0 && line[n] == ':')
                        state = STATE_OK;
        if (file)
                (void) fclose(file);
        found_set(found, "%s", state == STATE_OK ? "there" : "not in /etc/group");
        return state;
}

State host_unit(const Check *check, char *found) {
        static const char *const places[] = { "/etc/systemd/system", "/run/systemd/system",
                                              "/usr/local/lib/systemd/system",
                                              "/usr/lib/systemd/system", "/lib/systemd/system" };
        char path[256];

        for (unsigned i = 0; i < ELEMENTS(places); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", places[i], check->path);
                if (access(path, F_OK) == 0) {
                        found_set(found, "%.100s", path);
                        return STATE_OK;
                }
        }
        found_set(found, "not installed");
        return STATE_WEAK;
}

/* ---- the rest ------------------------------------------------------------------------------------- */

State host_selinux(const Check *check, char *found) {
        char line[8] = "";

        (void) check;
        if (!find_first_line("/sys/fs/selinux/enforce", line, sizeof(line)))
                found_set(found, "not there");
        else
                found_set(found, line[0] == '1' ? "enforcing" : "permissive");
        return line[0] == '1' ? STATE_UNKNOWN : STATE_OK;
}

State host_faults(const Check *check, char *found) {
        DIR *dir = opendir(check->path);
        const struct dirent *entry;
        char path[512], line[128], names[FOUND_MAX] = "";
        size_t n = 0;

        while (dir && (entry = readdir(dir))) {
                (void) snprintf(path, sizeof(path), "%s/%s", check->path, entry->d_name);
                if (entry->d_name[0] != '.' && find_first_line(path, line, sizeof(line)) &&
                    strncmp(line, "Vulnerable", 10) == 0 && n < sizeof(names))
                        n += (size_t) snprintf(names + n, sizeof(names) - n, " %s", entry->d_name);
        }
        found_set(found, "%s%.120s", n ? "open:" : "none is open", names);
        if (!dir)
                return STATE_UNKNOWN;
        (void) closedir(dir);
        return n ? STATE_WEAK : STATE_OK;
}

State host_swap(const Check *check, char *found) {
        FILE *file = fopen("/proc/swaps", "re");
        char line[256];
        unsigned n = 0;

        (void) check;
        while (file && fgets(line, sizeof(line), file))
                n++;
        if (file)
                (void) fclose(file);
        found_set(found, "%u areas", n > 0 ? n - 1 : 0);
        return file ? n > 1 ? STATE_WEAK : STATE_OK : STATE_UNKNOWN;
}

State host_room(const Check *check, char *found) {
        struct statvfs fs;

        if (statvfs(check->path, &fs) < 0 && statvfs("/var/lib", &fs) < 0) {
                found_set(found, "%s", strerrorname_np(errno));
                return STATE_UNKNOWN;
        }
        found_set(found, "%llu MB, %llu inodes free",
                  (unsigned long long) (fs.f_bavail * fs.f_frsize >> 20),
                  (unsigned long long) fs.f_favail);
        return fs.f_bavail * fs.f_frsize < DISK_LEAST || (fs.f_files && fs.f_favail < INODES_LEAST)
                       ? STATE_WEAK
                       : STATE_OK;
}

/*
 * doctor-trials: see doctor-trials.h. A trial returns 0 or an errno by its process's exit code, which is
 * wide enough for all of them; the word for people is made here.
 */
#include "cli/doctor-trials.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux >= 6.5 */
#endif
#define PIDFD_INFO_BYTES 64 /* of its first form, Linux 6.13: include/uapi/linux/pidfd.h */

typedef struct PidfdInfo {
        uint64_t mask;
        char rest[PIDFD_INFO_BYTES - sizeof(uint64_t)];
} PidfdInfo;

#define PIDFD_INFO _IOWR(0xFF, 11, PidfdInfo)

typedef int (*TrialFn)(const char *path);

/* Returns: what the trial returned, 0 or an errno */
static int in_child(TrialFn trial, const char *path) {
        int status = 0;
        pid_t pid = fork();

        if (pid < 0)
                return errno;
        if (pid == 0)
                _exit(trial(path));
        if (waitpid(pid, &status, 0) < 0)
                return errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EPROTO;
}

static State judge(int error, char *found) {
        found_set(found, "%s", error == 0 ? "works" : strerrorname_np(error));
        return error == 0 ? STATE_OK : STATE_MISSING;
}

static State try_as_root(TrialFn trial, const char *path, char *found) {
        if (geteuid() == 0)
                return judge(in_child(trial, path), found);
        found_set(found, "only root can try it");
        return STATE_UNKNOWN;
}

/* Returns: a descriptor of a new tmpfs that is attached nowhere, or -errno */
static int new_tmpfs(void) {
        autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
        int fd;

        if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        return fd < 0 ? -errno : fd;
}

static int make_tmpfs(const char *path) {
        autoclose int fd = new_tmpfs();

        (void) path;
        return fd < 0 ? -fd : 0;
}

State try_mount_api(const Check *check, char *found) {
        (void) check;
        return try_as_root(make_tmpfs, NULL, found);
}

/* ---- id maps ------------------------------------------------------------------------------------- */

static int write_map(pid_t pid, const char *name) {
        static const char map[] = "0 1 1\n";
        char path[64];
        autoclose int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 || write(fd, map, sizeof(map) - 1) < 0 ? -errno : 0;
}

/* Returns: a user namespace that maps id 0 to 1, or -errno; its only process is gone */
static int new_userns(void) {
        char path[64];
        int ends[2], fd, r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
                return -errno;
        if (pid == 0) {
                r = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
                (void) !write(ends[1], &r, sizeof(r));
                for (;;)
                        (void) pause();
        }
        if (read(ends[0], &r, sizeof(r)) != (ssize_t) sizeof(r))
                r = EPROTO;
        r = r ? -r : write_map(pid, "uid_map");
        if (r == 0)
                r = write_map(pid, "gid_map");
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
        if (r == 0 && fd < 0)
                fd = -errno;
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        (void) close(ends[0]);
        (void) close(ends[1]);
        return fd;
}

static int map_mount(const char *path) {
        autoclose int userns = new_userns();
        autoclose int fd =
                path ? open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : new_tmpfs();
        struct mount_attr set = { .attr_set = MOUNT_ATTR_IDMAP };

        if (userns < 0)
                return -userns;
        if (fd < 0)
                return path ? errno : -fd;
        set.userns_fd = (uint64_t) userns;
        return mount_setattr(fd, "", AT_EMPTY_PATH, &set, sizeof(set)) < 0 ? errno : 0;
}

State try_idmap(const Check *check, char *found) {
        const char *path = check->path;

        if (path && access(path, F_OK) < 0)
                path = "/var/lib"; /* the state directory is not made yet: it will lie there */
        return try_as_root(map_mount, path, found);
}

/* ---- overlays ------------------------------------------------------------------------------------ */

/* Everything below happens in a mount namespace that ends with this process. Returns: 0 or errno */
static int enter_scratch(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0 ||
            chdir("/tmp") < 0 || mkdir("lower", 0700) < 0 || mkdir("upper", 0700) < 0 ||
            mkdir("work", 0700) < 0)
                return errno;
        return 0;
}

static int make_overlay(const char *path) {
        int r = enter_scratch();
        autoclose int context = r ? -EBADF : fsopen("overlay", FSOPEN_CLOEXEC);

        (void) path;
        if (r)
                return r;
        if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", "lower", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_STRING, "upperdir", "upper", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_STRING, "workdir", "work", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
            fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return errno;
        return 0;
}

State try_overlay(const Check *check, char *found) {
        (void) check;
        return try_as_root(make_overlay, NULL, found);
}

static int add_layer(const char *path) {
        int r = enter_scratch();
        autoclose int context = r ? -EBADF : fsopen("overlay", FSOPEN_CLOEXEC);
        autoclose int layer = open("lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void) path;
        if (r)
                return r;
        return context < 0 || fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, layer) < 0
                       ? errno
                       : 0;
}

State try_overlay_layers(const Check *check, char *found) {
        State state = try_as_root(add_layer, NULL, found);

        (void) check;
        return state == STATE_MISSING ? STATE_WEAK : state;
}

/* ---- calls whose arguments count ----------------------------------------------------------------- */

/* A group by a descriptor that is none: a kernel that knows the flag says so */
State try_clone_into(const Check *check, char *found) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
        long r;

        (void) check;
        args.cgroup = INT32_MAX;
        r = syscall(SYS_clone3, &args, sizeof(args));
        if (r == 0)
                _exit(0);
        found_set(found, "%s", r < 0 && errno != EBADF ? strerrorname_np(errno) : "there");
        return r < 0 && errno == EBADF ? STATE_OK : STATE_MISSING;
}

State try_openat2(const Check *check, char *found) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                           RESOLVE_NO_MAGICLINKS };
        autoclose int fd = (int) syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));

        (void) check;
        return judge(fd < 0 ? errno : 0, found);
}

State try_peer_pidfd(const Check *check, char *found) {
        autoclose int fd = -EBADF;
        socklen_t n = sizeof(fd);
        int pair[2], r;

        (void) check;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return STATE_UNKNOWN;
        r = getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &n) < 0 ? errno : 0;
        (void) close(pair[0]);
        (void) close(pair[1]);
        return judge(r, found) == STATE_OK ? STATE_OK : STATE_WEAK;
}

State try_pidfd_info(const Check *check, char *found) {
        autoclose int fd = (int) syscall(SYS_pidfd_open, getpid(), 0);
        PidfdInfo info = { 0 };

        (void) check;
        if (fd >= 0 && ioctl(fd, PIDFD_INFO, &info) == 0)
                return judge(0, found);
        (void) judge(errno, found);
        return STATE_WEAK;
}

State try_notify(const Check *check, char *found) {
        struct seccomp_notif_sizes sizes;
        long r = syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);

        (void) check;
        return judge(r < 0 ? errno : 0, found) == STATE_OK ? STATE_OK : STATE_WEAK;
}

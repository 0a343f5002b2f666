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
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/programs.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux >= 6.5 */
#endif
#define PIDFD_INFO_BYTES 64 /* of its first form, Linux 6.13: include/uapi/linux/pidfd.h */

typedef struct PidfdInfo {
        uint64_t mask;
        char rest[PIDFD_INFO_BYTES - sizeof(uint64_t)];
} PidfdInfo;

#define PIDFD_INFO _IOWR(0xFF, 11, PidfdInfo)

#define TRIALS "warder-trials"

static const char *const trial_folders[] = { "", "/sandbox", NULL }; /* installed; built */

/* Returns: what the trial returned, 0 or an errno */
static int run_trial(const char *name, const char *path) {
        autoclose int dir = program_dir(TRIALS, trial_folders, NULL);
        char *argv[] = { (char[]){ TRIALS }, (char *) (uintptr_t) name, (char *) (uintptr_t) path,
                         NULL };
        int status = 0;
        pid_t pid = dir < 0 ? -1 : fork();

        if (dir < 0)
                return ENOENT;
        if (pid == 0) {
                int program = openat(dir, TRIALS, O_RDONLY | O_CLOEXEC);

                (void) fexecve(program, argv, (char *[]){ NULL });
                _exit(errno);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EPROTO;
}

static State judge(int error, char *found) {
        found_set(found, "%s", error == 0 ? "works" : strerrorname_np(error));
        return error == 0 ? STATE_OK : STATE_MISSING;
}

static State try_as_root(const char *trial, const char *path, char *found) {
        if (geteuid() == 0)
                return judge(run_trial(trial, path), found);
        found_set(found, "only root can try it");
        return STATE_UNKNOWN;
}

State try_mount_api(const Check *check, char *found) {
        (void) check;
        return try_as_root("mount-api", NULL, found);
}

/* ---- id maps ------------------------------------------------------------------------------------- */

State try_idmap(const Check *check, char *found) {
        const char *path = check->path;

        if (path && access(path, F_OK) < 0)
                path = "/var/lib"; /* the state directory is not made yet: it will lie there */
        return try_as_root("idmap", path, found);
}

/* ---- overlays ------------------------------------------------------------------------------------ */

State try_overlay(const Check *check, char *found) {
        (void) check;
        return try_as_root("overlay", NULL, found);
}

State try_overlay_layers(const Check *check, char *found) {
        State state = try_as_root("overlay-layers", NULL, found);

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

/*
 * priv-userns: see priv-userns.h.
 */
#include "sandbox/priv-userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

static int write_map(int proc, pid_t pid, const char *file, const char *text, Error *err) {
        autoclose int fd = -EBADF;
        char path[48];

        (void) snprintf(path, sizeof(path), "%d/%s", pid, file);
        fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
        /* one write: a second one to a map is refused */
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return error_set(err, -errno, "write %s of a user namespace", file);
        return 0;
}

static int map_and_open(int proc, pid_t pid, const IdMap *map, Error *err) {
        char text[64], path[48];
        int r, fd;

        (void) snprintf(text, sizeof(text), "%u %u %u\n%s", map->inside_uid, map->outside_uid,
                        map->count, map->root ? "0 0 1\n" : "");
        r = write_map(proc, pid, "uid_map", text, err);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof(text), "%u %u %u\n%s", map->inside_gid, map->outside_gid,
                        map->count, map->root ? "0 0 1\n" : "");
        r = write_map(proc, pid, "gid_map", text, err);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%d/ns/user", pid);
        fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open a user namespace") : fd;
}

/* The namespace is made, by @owner, who keeps root's capabilities for it; then, since new ids undo it, tied to @parent */
_Noreturn static void hold_namespace(uint32_t owner, pid_t parent) {
        if ((owner == 0 || (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0 &&
                            syscall(SYS_setresuid, -1, owner, -1) == 0)) &&
            unshare(CLONE_NEWUSER) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
            getppid() == parent)
                (void) raise(SIGSTOP);
        _exit(errno);
}

int userns_new(int proc, const IdMap *map, Error *err) {
        int fd, status = 0;
        pid_t self = getpid(), pid = fork();

        if (pid == 0)
                hold_namespace(map->owner, self);
        if (pid < 0)
                return error_set(err, -errno, "make a user namespace");
        while (waitpid(pid, &status, WUNTRACED) < 0)
                if (errno != EINTR)
                        return error_set(err, -errno, "wait for a user namespace");
        if (!WIFSTOPPED(status)) /* it could not, or was killed */
                return error_set(err, -(WEXITSTATUS(status) ?: EIO), "make a user namespace");
        fd = map_and_open(proc, pid, map, err);
        (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return fd;
}

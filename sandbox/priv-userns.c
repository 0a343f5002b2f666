/*
 * priv-userns: see priv-userns.h. A dead process still shows its namespace for as long as nobody has reaped it.
 * So nothing has to live in one: what is born there is dead at once, and has no memory of its own to copy.
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

#define STACK_BYTES 16384
#define BORROWED    (CLONE_VM | CLONE_VFORK | SIGCHLD) /* the caller waits for its end */

static int write_map(int proc, pid_t pid, const char *file, const uint32_t *ids, bool root,
                     Error *err) {
        autoclose int fd = -EBADF;
        char path[48], text[64];

        (void) snprintf(path, sizeof(path), "%d/%s", pid, file);
        (void) snprintf(text, sizeof(text), "%u %u %u\n%s", ids[0], ids[1], ids[2],
                        root ? "0 0 1\n" : "");
        fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
        /* one write: a second one to a map is refused */
        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return error_set(err, -errno, "write %s of a user namespace", file);
        return 0;
}

static int map_and_open(int proc, pid_t pid, const IdMap *map, Error *err) {
        const uint32_t uids[] = { map->inside_uid, map->outside_uid, map->count };
        const uint32_t gids[] = { map->inside_gid, map->outside_gid, map->count };
        int r = write_map(proc, pid, "uid_map", uids, map->root, err), fd;
        char path[48];

        if (r == 0)
                r = write_map(proc, pid, "gid_map", gids, map->root, err);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%d/ns/user", pid);
        fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open a user namespace") : fd;
}

typedef struct Birth {
        uint32_t owner;
        int code;
        pid_t pid; /* of who was born in the namespace, and is dead already */
        char stacks[2][STACK_BYTES] __attribute__((aligned(16)));
} Birth;

static int born(void *userdata) {
        return userdata != NULL;
}

/* It is @owner's, who keeps root's capabilities for that. New ids make the memory, the caller's, dumpable. */
static int give_birth(void *userdata) {
        Birth *birth = userdata;

        if (birth->owner == 0 ||
            (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0 &&
             syscall(SYS_setresuid, -1, birth->owner, -1) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0))
                birth->pid = clone(born, birth->stacks[1] + STACK_BYTES,
                                   BORROWED | CLONE_NEWUSER | CLONE_PARENT, NULL);
        birth->code = birth->pid > 0 ? 0 : -errno;
        return 0;
}

static void reap(pid_t pid) {
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

int userns_new(int proc, const IdMap *map, Error *err) {
        Birth birth = { .owner = map->owner, .code = -EIO };
        pid_t pid = clone(give_birth, birth.stacks[0] + STACK_BYTES, BORROWED, &birth);
        int fd = pid < 0 ? -errno : birth.code;

        if (fd < 0)
                (void) error_set(err, fd, "make a user namespace");
        else
                fd = map_and_open(proc, birth.pid, map, err);
        reap(birth.pid);
        reap(pid);
        return fd;
}

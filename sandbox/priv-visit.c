/*
 * priv-visit: see priv-visit.h.
 *
 * The visitor is a child that shares our memory and our descriptors but not our place (no CLONE_FS, its own
 * list of namespaces), and we sleep until it has ended (CLONE_VFORK). So nobody has to find the way back:
 * to enter the other namespace and to return would lose a chroot(2), and a return that fails would leave
 * the monitor among a caller's mounts.
 */
#include "sandbox/priv-visit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define VISITOR_STACK_BYTES (16 * 1024)

typedef struct Visit {
        int space;
        int dir;
        int result; /* a descriptor in the table that both use, or negative errno */
} Visit;

static int visitor(void *userdata) {
        Visit *visit = userdata;

        visit->result = setns(visit->space, CLONE_NEWNS);
        if (visit->result == 0)
                visit->result = open_tree(visit->dir, "",
                                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        if (visit->result < 0)
                visit->result = -errno;
        return 0;
}

int visit_clone(int space, int dir, Error *err) {
        _Alignas(16) char stack[VISITOR_STACK_BYTES];
        Visit visit = { space, dir, -EIO };
        /* no signal at its end: only the wait below takes it */
        pid_t pid =
                clone(visitor, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES, &visit);

        if (pid < 0)
                return error_set(err, -errno, "look into a caller's mount namespace");
        while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
                ;
        return visit.result >= 0
                       ? visit.result
                       : error_set(err, visit.result, "clone a mount of another namespace");
}

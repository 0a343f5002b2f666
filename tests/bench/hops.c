/*
 * hops: see hops.h. The first process stands for the front, the second for a jail's init; each blocks in recv(2), which
 * wakes faster than a loop that polls. What the second clones next is cloned before the next command comes.
 */
#include "tests/bench/hops.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#define MESSAGE_BYTES 256

static struct {
        pid_t pids[2];
        int fd; /* SEQPACKET to the first */
} hops = { .fd = -EBADF };

static int pair(int *ends) {
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

/* The client's request down, the answer up, until one of the ends is closed. */
_Noreturn static void relay(int up, int down) {
        char bytes[MESSAGE_BYTES];
        ssize_t n;

        while ((n = recv(up, bytes, sizeof(bytes), 0)) > 0)
                if (send(down, bytes, (size_t) n, MSG_NOSIGNAL) != n ||
                    (n = recv(down, bytes, sizeof(bytes), 0)) <= 0 ||
                    send(up, bytes, (size_t) n, MSG_NOSIGNAL) != n)
                        break;
        _exit(0);
}

_Noreturn static void wait_and_execute(int fd) {
        char byte;

        if (recv(fd, &byte, 1, 0) != 1)
                _exit(0);
        (void) execl(BUSYBOX, BUSYBOX, "true", (char *) NULL);
        _exit(127);
}

/* Returns: what the child's end was, or negative errno */
static int run_parked(int up) {
        char bytes[MESSAGE_BYTES];
        int ends[2], status = 0, r = pair(ends);
        pid_t child;
        ssize_t n;

        if (r < 0)
                return r;
        child = fork();
        if (child == 0) {
                (void) close(ends[0]); /* or it would not hear of our end */
                wait_and_execute(ends[1]);
        }
        (void) close(ends[1]);
        n = recv(up, bytes, sizeof(bytes), 0);
        if (n > 0)
                (void) send(ends[0], bytes, (size_t) n, MSG_NOSIGNAL);
        else
                (void) close(ends[0]);
        if (child < 0 || waitpid(child, &status, 0) < 0)
                return -ECHILD;
        if (n <= 0)
                return -EPIPE;
        (void) close(ends[0]);
        return send(up, &status, sizeof(status), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int start(unsigned which, int up, int down) {
        hops.pids[which] = fork();
        if (hops.pids[which] != 0)
                return hops.pids[which] < 0 ? -errno : 0;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (which == 0)
                relay(up, down);
        while (run_parked(up) == 0)
                ;
        _exit(0);
}

int hops_prepare(Error *err) {
        int first[2], second[2], r = pair(first);

        if (r == 0)
                r = pair(second);
        if (r < 0)
                return error_set(err, r, "make a socket pair");
        /* the second has no end of the first's pair but its own, or nobody would hear of the end */
        hops.fd = first[0];
        r = start(0, first[1], second[0]);
        (void) close(first[1]);
        (void) close(second[0]);
        if (r == 0)
                r = start(1, second[1], -EBADF);
        (void) close(second[1]);
        return r < 0 ? error_set(err, r, "fork") : 0;
}

void hops_stop(void) {
        if (hops.fd >= 0)
                (void) close(hops.fd);
        hops.fd = -EBADF;
        for (unsigned i = 0; i < ELEMENTS(hops.pids); i++) {
                if (hops.pids[i] <= 0)
                        continue;
                (void) kill(hops.pids[i], SIGTERM);
                (void) waitpid(hops.pids[i], NULL, 0);
                hops.pids[i] = 0;
        }
}

int hops_run(Bench *bench, Error *err) {
        char bytes[MESSAGE_BYTES] = { 1 };
        int status = -1;

        (void) bench;
        if (send(hops.fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0 ||
            recv(hops.fd, &status, sizeof(status), 0) != sizeof(status))
                return error_say(err, -EPIPE, "a process between is gone");
        return status == 0 ? 0
                           : error_say(err, -EIO, "the command ended with wait status %d", status);
}

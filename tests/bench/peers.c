/*
 * peers: see peers.h. The process that starts them takes one byte, the number of a function of its table, runs it, and
 * answers with one Error.
 */
#include "tests/bench/peers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/containers.h"
#include "tests/bench/spawn.h"

#define NUMBER_ONCE 0
#define NUMBER_LIVE 1

typedef enum Peer {
        PEER_CRUN,
        PEER_RUNC,
        PEER_NSJAIL,
        PEER_NSPAWN,
        PEER_CRUN_EXEC,
        PEER_NSENTER,
        PEER_CRUN_START,
        PEER_CRUN_STOP,
        _PEER_MAX
} Peer;

static struct {
        pid_t pid;
        int fd; /* SEQPACKET to it */
        char root[96];
        char once[CONTAINER_ID_MAX], live[CONTAINER_ID_MAX];
        char target[CONTAINER_PID_MAX]; /* of the container that is alive; in its starter alone */
        bool is_alive;
} runner = { .fd = -EBADF };

bool peer_is_there(const char *program) {
        static const char *const places[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin" };
        char path[96];

        for (unsigned i = 0; i < ELEMENTS(places); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", places[i], program);
                if (access(path, X_OK) == 0)
                        return true;
        }
        return false;
}

/* ---- the process that starts them ----------------------------------------------------------------- */

static int run_nsjail(Error *err) {
        const char *argv[] = { "nsjail",    "-Mo",
                               "-Q",        "--chroot",
                               runner.root, "--cgroup_mem_max",
                               "268435456", "--cgroup_pids_max",
                               "64",        "--",
                               BUSYBOX,     "true",
                               NULL };

        return spawn_wait(argv, err);
}

static int run_nspawn(Error *err) {
        const char *argv[] = { "systemd-nspawn",
                               "-q",
                               "--register=no",
                               "--keep-unit",
                               "--read-only",
                               "--private-network",
                               "-D",
                               runner.root,
                               "-M",
                               runner.once,
                               BUSYBOX,
                               "true",
                               NULL };

        return spawn_wait(argv, err);
}

static int run_peer(Peer peer, Error *err) {
        switch (peer) {
        case PEER_CRUN:
                return container_run("crun", runner.once, err);
        case PEER_RUNC:
                return container_run("runc", runner.once, err);
        case PEER_NSJAIL:
                return run_nsjail(err);
        case PEER_NSPAWN:
                return run_nspawn(err);
        case PEER_CRUN_EXEC:
                return container_exec(runner.live, err);
        case PEER_NSENTER:
                return container_enter(runner.target, err);
        case PEER_CRUN_START:
                return container_start(runner.live, runner.target, err);
        case PEER_CRUN_STOP:
                return container_stop(runner.live, err);
        case _PEER_MAX:
                break;
        }
        return error_say(err, -EINVAL, "no such peer");
}

_Noreturn static void serve(int fd) {
        Error fault = ERROR_EMPTY;
        uint8_t which;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) containers_own_mounts(&fault);
        while (recv(fd, &which, 1, 0) == 1) {
                Error err = fault;

                if (err.code == 0)
                        (void) run_peer((Peer) which, &err);
                (void) send(fd, &err, sizeof(err), MSG_NOSIGNAL);
        }
        _exit(0);
}

static int ask(Peer peer, Error *err) {
        uint8_t which = (uint8_t) peer;
        Error answer;

        if (send(runner.fd, &which, 1, MSG_NOSIGNAL) != 1 ||
            recv(runner.fd, &answer, sizeof(answer), 0) != sizeof(answer))
                return error_say(err, -EPIPE, "the process that starts peers is gone");
        if (answer.code < 0)
                *err = answer;
        return answer.code;
}

/* ---- rows ------------------------------------------------------------------------------------------ */

int peer_spawn(Bench *bench, Error *err) {
        static const char *const argv[] = { BUSYBOX, "true", NULL };

        (void) bench;
        return spawn_wait(argv, err);
}

const char *const *peer_bwrap_argv(void) {
        static const char *const argv[] = { "bwrap",     "--unshare-all", "--ro-bind", "/usr",
                                            "/usr",      "--symlink",     "usr/bin",   "/bin",
                                            "--symlink", "usr/lib",       "/lib",      "--symlink",
                                            "usr/lib64", "/lib64",        "--proc",    "/proc",
                                            "--dev",     "/dev",          "--tmpfs",   "/tmp",
                                            BUSYBOX,     "true",          NULL };

        return argv;
}

int peer_bwrap(Bench *bench, Error *err) {
        (void) bench;
        return spawn_wait(peer_bwrap_argv(), err);
}

int peer_crun(Bench *bench, Error *err) {
        (void) bench;
        return ask(PEER_CRUN, err);
}

int peer_runc(Bench *bench, Error *err) {
        (void) bench;
        return ask(PEER_RUNC, err);
}

int peer_nsjail(Bench *bench, Error *err) {
        (void) bench;
        return ask(PEER_NSJAIL, err);
}

int peer_nspawn(Bench *bench, Error *err) {
        (void) bench;
        return ask(PEER_NSPAWN, err);
}

int peer_crun_exec(Bench *bench, Error *err) {
        (void) bench;
        return runner.is_alive ? ask(PEER_CRUN_EXEC, err)
                               : error_say(err, -ESRCH, "no container of crun's is alive");
}

int peer_nsenter(Bench *bench, Error *err) {
        (void) bench;
        return runner.is_alive ? ask(PEER_NSENTER, err)
                               : error_say(err, -ESRCH, "no container of crun's is alive");
}

/* ---- beforehand ---------------------------------------------------------------------------------- */

static int start_runner(Error *err) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set(err, -errno, "make a socket pair");
        runner.pid = fork();
        if (runner.pid < 0)
                return error_set(err, -errno, "fork");
        if (runner.pid == 0) {
                (void) close(ends[0]);
                serve(ends[1]);
        }
        (void) close(ends[1]);
        runner.fd = ends[0];
        return 0;
}

int peers_prepare(Bench *bench, Error *err) {
        int r = containers_prepare(bench, err);

        (void) snprintf(runner.root, sizeof(runner.root), "%s/root", bench->dir);
        containers_id(bench, NUMBER_ONCE, runner.once);
        containers_id(bench, NUMBER_LIVE, runner.live);
        if (r >= 0)
                r = start_runner(err);
        if (r < 0 || !peer_is_there("crun"))
                return r;
        runner.is_alive = ask(PEER_CRUN_START, err) >= 0;
        if (!runner.is_alive)
                (void) fprintf(stderr, "bench: no container to execute in: %s\n", err->text);
        *err = ERROR_EMPTY;
        return 0;
}

void peers_stop(void) {
        Error err = ERROR_EMPTY;

        if (runner.pid <= 0)
                return;
        if (runner.is_alive)
                (void) ask(PEER_CRUN_STOP, &err);
        (void) close(runner.fd);
        (void) waitpid(runner.pid, NULL, 0);
        runner.pid = 0;
}

void peers_clean(const Bench *bench) {
        static const char script[] =
                "n=${1##*-}; for c in $(crun list -q 2>/dev/null | grep \"^bench-$n\" || true); do "
                "unshare -m sh -c \"umount -l /sys/fs/cgroup/unified; crun delete -f $c\" "
                "2>/dev/null || true; done;"
                "rmdir /run/systemd/nspawn/propagate/bench-$n-* 2>/dev/null || true;"
                /* crun leaves a group where the process in it takes its time to go */
                "for d in /sys/fs/cgroup/bench-$n-* /sys/fs/cgroup/*/bench-$n-*; do "
                "if [ -d \"$d\" ]; then rmdir \"$d\" || true; fi; done";
        Error err = ERROR_EMPTY;

        (void) spawn_shell(script, bench->dir, &err);
}

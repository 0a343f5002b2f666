/*
 * peers: see peers.h. The process that starts them takes one byte, the number of a command of its table, runs it, and
 * answers with one Error.
 */
#include "tests/bench/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

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
        int fd;        /* SEQPACKET to it */
        char name[48]; /* of containers */
        char dir[80], root[96], pid_file[96];
        char alive[64];
        char target[16]; /* pid of the container that is alive */
} runner = { .fd = -EBADF };

/* What crun and runc are asked for: all that a jail has and they can do without a helper. %s: the root, the command. */
static const char config[] =
        "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":1000,\"gid\":1000},\"args\":%s,"
        "\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"noNewPrivileges\":true,\"capabilities\":{}},"
        "\"root\":{\"path\":\"%s\",\"readonly\":true},\"hostname\":\"jail\",\"mounts\":["
        "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
        "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\","
        "\"mode=755\",\"size=64k\"]},{\"destination\":\"/"
        "tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
        "\"options\":[\"nosuid\",\"nodev\"]}],\"linux\":{\"uidMappings\":[{\"containerID\":0,"
        "\"hostID\":1800000000,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,"
        "\"hostID\":1800000000,\"size\":65536}],\"namespaces\":[{\"type\":\"pid\"},{\"type\":"
        "\"network\"},"
        "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":"
        "\"cgroup\"}],"
        "\"resources\":{\"memory\":{\"limit\":268435456},\"pids\":{\"limit\":64}},"
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\"]"
        ","
        "\"syscalls\":[{\"names\":[\"mount\",\"umount2\",\"ptrace\",\"bpf\",\"keyctl\",\"kexec_"
        "load\","
        "\"perf_event_open\",\"unshare\",\"setns\",\"init_module\"],\"action\":\"SCMP_ACT_ERRNO\"}]"
        "}}}";

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

int peer_own_mounts(Error *err) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set(err, -errno, "have mounts of one's own");
        if (access("/sys/fs/cgroup/memory", F_OK) == 0)
                (void) umount2("/sys/fs/cgroup/unified", MNT_DETACH);
        return 0;
}

/* ---- the process that starts them ----------------------------------------------------------------- */

static void bundle(const char *name, char *path, size_t n) {
        (void) snprintf(path, n, "%s/%s", runner.dir, name);
}

void peer_crun_argv(const Bench *bench, const char *id, const char **argv) {
        static char dir[96];

        (void) bench;
        bundle("once", dir, sizeof(dir));
        memcpy(argv, ((const char *[]){ "crun", "run", "--bundle", dir, id, NULL }),
               6 * sizeof(*argv));
}

static int run_peer(Peer peer, Error *err) {
        char once[96], live[96];
        const char *const *const table[_PEER_MAX] = {
                [PEER_CRUN] =
                        (const char *[]){ "crun", "run", "--bundle", once, runner.name, NULL },
                [PEER_RUNC] =
                        (const char *[]){ "runc", "run", "--bundle", once, runner.name, NULL },
                [PEER_NSJAIL] =
                        (const char *[]){ "nsjail", "-Mo", "-Q", "--chroot", runner.root,
                                          "--cgroup_mem_max", "268435456", "--cgroup_pids_max",
                                          "64", "--", BUSYBOX, "true", NULL },
                [PEER_NSPAWN] =
                        (const char *[]){ "systemd-nspawn", "-q", "--register=no", "--keep-unit",
                                          "--read-only", "--private-network", "-D", runner.root,
                                          "-M", runner.name, BUSYBOX, "true", NULL },
                [PEER_CRUN_EXEC] =
                        (const char *[]){ "crun", "exec", runner.alive, BUSYBOX, "true", NULL },
                [PEER_NSENTER] = (const char *[]){ "nsenter", "-t", runner.target, "-m", "-u", "-i",
                                                   "-n", "-p", BUSYBOX, "true", NULL },
                [PEER_CRUN_START] =
                        (const char *[]){ "crun", "run", "-d", "--pid-file", runner.pid_file,
                                          "--bundle", live, runner.alive, NULL },
                [PEER_CRUN_STOP] = (const char *[]){ "crun", "delete", "-f", runner.alive, NULL },
        };

        bundle("once", once, sizeof(once));
        bundle("live", live, sizeof(live));
        return bench_spawn(table[peer], err);
}

/* Learns the pid here, since the table of the next command is ours. */
static void learn_target(void) {
        autoclose int fd = open(runner.pid_file, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, runner.target, sizeof(runner.target) - 1);

        runner.target[n > 0 ? n : 0] = '\0';
        runner.target[strcspn(runner.target, "\n")] = '\0';
}

_Noreturn static void serve(int fd) {
        Error fault = ERROR_EMPTY;
        uint8_t which;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) peer_own_mounts(&fault);
        while (recv(fd, &which, 1, 0) == 1) {
                Error err = fault;

                if (err.code == 0)
                        (void) run_peer((Peer) which, &err);
                if (which == PEER_CRUN_START)
                        learn_target();
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
        return bench_spawn(argv, err);
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
        return bench_spawn(peer_bwrap_argv(), err);
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
        return runner.target[0] ? ask(PEER_CRUN_EXEC, err)
                                : error_say(err, -ESRCH, "no container of crun's is alive");
}

int peer_nsenter(Bench *bench, Error *err) {
        (void) bench;
        return runner.target[0] ? ask(PEER_NSENTER, err)
                                : error_say(err, -ESRCH, "no container of crun's is alive");
}

int peer_copy(Bench *bench, Error *err) {
        return bench_shell("rm -rf \"$1/copy\"; exec cp -a \"$1/middle\" \"$1/copy\"", bench->dir,
                           err);
}

/* By hand, with its end: what a fresh writable copy costs the kernel */
int peer_overlay(Bench *bench, Error *err) {
        char merged[96], options[320];
        int r = 0;

        (void) snprintf(merged, sizeof(merged), "%s/overlay/merged", bench->dir);
        (void) snprintf(options, sizeof(options),
                        "lowerdir=%s/middle,upperdir=%s/overlay/upper,workdir=%s/overlay/work",
                        bench->dir, bench->dir, bench->dir);
        if (mount("overlay", merged, "overlay", 0, options) < 0)
                return error_set(err, -errno, "mount an overlay");
        if (umount2(merged, MNT_DETACH) < 0)
                r = error_set(err, -errno, "unmount an overlay");
        return r;
}

/* ---- beforehand ---------------------------------------------------------------------------------- */

static int write_config(const char *name, const char *args, Error *err) {
        char path[128];
        FILE *file;

        bundle(name, path, sizeof(path) - 16);
        (void) strcat(path, "/config.json");
        file = fopen(path, "we");
        if (!file || fprintf(file, config, args, runner.root) < 0 || fclose(file) != 0)
                return error_set(err, -errno, "write %s", path);
        return 0;
}

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
        static const char script[] = "cd \"$1\"; mkdir -p peers/once peers/live overlay; chmod 755 "
                                     ". root; mount -t tmpfs bench overlay; cd overlay; mkdir "
                                     "upper work merged";
        int r = bench_shell(script, bench->dir, err);

        (void) snprintf(runner.dir, sizeof(runner.dir), "%s/peers", bench->dir);
        (void) snprintf(runner.root, sizeof(runner.root), "%s/root", bench->dir);
        (void) snprintf(runner.pid_file, sizeof(runner.pid_file), "%s/peers/pid", bench->dir);
        (void) snprintf(runner.name, sizeof(runner.name), "bench-%s", strrchr(bench->dir, '-') + 1);
        (void) snprintf(runner.alive, sizeof(runner.alive), "bench-%s-live",
                        strrchr(bench->dir, '-') + 1);
        if (r >= 0)
                r = write_config("once", "[\"" BUSYBOX "\",\"true\"]", err);
        if (r >= 0)
                r = write_config("live", "[\"" BUSYBOX "\",\"sleep\",\"100000\"]", err);
        if (r >= 0)
                r = start_runner(err);
        if (r < 0 || !peer_is_there("crun"))
                return r;
        if (ask(PEER_CRUN_START, err) < 0)
                (void) fprintf(stderr, "bench: no container to execute in: %s\n", err->text);
        else
                learn_target();
        *err = ERROR_EMPTY;
        return 0;
}

void peers_stop(Bench *bench) {
        Error err = ERROR_EMPTY;

        (void) bench;
        if (runner.pid <= 0)
                return;
        if (runner.target[0])
                (void) ask(PEER_CRUN_STOP, &err);
        (void) close(runner.fd);
        (void) waitpid(runner.pid, NULL, 0);
        runner.pid = 0;
}

void peers_clean(const Bench *bench) {
        char script[512];
        Error err = ERROR_EMPTY;

        (void) snprintf(script, sizeof(script),
                        "umount \"$1/overlay\" 2>/dev/null || true;"
                        "for c in $(crun list -q 2>/dev/null | grep '^bench-%s' || true); do "
                        "unshare -m sh -c \"umount -l /sys/fs/cgroup/unified; crun delete -f $c\" "
                        "2>/dev/null || true; done;"
                        "rmdir /run/systemd/nspawn/propagate/bench-%s 2>/dev/null || true",
                        strrchr(bench->dir, '-') + 1, strrchr(bench->dir, '-') + 1);
        (void) bench_shell(script, bench->dir, &err);
}

/*
 * private: starting a supervisor.
 *
 * Calls that start one at the same time wait for each other at a lock on the run directory itself, which
 * leaves no file behind. The lock is held from the first look at the socket until the new supervisor has
 * said that it is ready. A supervisor may be about to end when we connect: then the first call is not
 * answered, and one more is started; the exchange of "warder.info" finds that out before any real call.
 *
 * warderd gets a session of its own, so that Ctrl-C at the terminal reaches only the command, and no
 * descriptor of ours: its words go to an unnamed file, of which the last line is shown if it fails.
 */
#include "cli/private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/rpc-call.h"
#include "cli/connect.h"
#include "cli/places.h"

#define PATH_TEXT_MAX 256
#define LOG_SHOWN_MAX 4096
#define JOINS_MAX     3
#define EXIT_BUSY     75 /* of warderd: one of this name is alive */
#define END_SECONDS   20 /* that one which is ending may take */

enum { PRIVATE_E_BUSY = 1 };

static int open_log(void) {
        const char *path = getenv("WARDER_LOG");

        if (path && *path)
                return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC,
                            0600); /* read: its last line */
        return memfd_new("warderd-log", false, NULL);
}

/* In the child: only async-signal-safe calls are needed, there is one thread */
static void exec_warderd(char *const *argv, int ready_fd, int log_fd) {
        sigset_t none;
        int null = open("/dev/null", O_RDWR);

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) setsid();
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log_fd, 2) < 0 ||
            fcntl(ready_fd, F_SETFD, 0) < 0)
                _exit(127);
        (void) execv(argv[0], argv);
        (void) dprintf(2, "cannot execute %s: %s\n", argv[0], strerror(errno));
        _exit(127);
}

static pid_t spawn_warderd(const char *instance, int ready_fd, int log_fd) {
        char ready[16];
        Places places;
        const char *argv[7 + 2 * PLACES_MAX] = { places.warderd, "--private",  "--instance",
                                                 instance,       "--ready-fd", ready };
        unsigned n = 6;
        pid_t pid;

        places_find(&places);
        snprintf(ready, sizeof(ready), "%d", ready_fd);
        for (size_t i = 0; i < PLACES_MAX; i++) {
                if (!places.options[i])
                        continue;
                argv[n++] = places.options[i];
                argv[n++] = places.values[i];
        }
        argv[n] = NULL;
        pid = fork();
        if (pid == 0)
                exec_warderd((char *const *) (uintptr_t) argv, ready_fd, log_fd);
        return pid;
}

/* The last line that warderd wrote, for our own sentence */
static void last_words(int log_fd, char *text, size_t n) {
        char bytes[LOG_SHOWN_MAX + 1];
        off_t size = lseek(log_fd, 0, SEEK_END);
        off_t from = size > LOG_SHOWN_MAX ? size - LOG_SHOWN_MAX : 0;
        ssize_t got = size > 0 ? pread(log_fd, bytes, LOG_SHOWN_MAX, from) : 0;
        const char *line;

        while (got > 0 && bytes[got - 1] == '\n')
                got--;
        if (got <= 0) {
                snprintf(text, n, "it said nothing");
                return;
        }
        bytes[got] = 0;
        line = strrchr(bytes, '\n');
        snprintf(text, n, "%.300s", line ? line + 1 : bytes);
}

static int start_warderd(const char *instance, Error *err) {
        autoclose int ready = -EBADF, ready_child = -EBADF, log = open_log();
        char words[320], byte;
        int ends[2], status = 0;
        ssize_t n;
        pid_t pid;

        if (log < 0)
                return error_set(err, -errno, "open the log of the private supervisor");
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        ready = ends[0];
        ready_child = ends[1];
        pid = spawn_warderd(instance, ready_child, log);
        if (pid < 0)
                return error_set(err, -errno, "start the private supervisor");
        (void) close(TAKE_FD(ready_child));
        do
                n = read(ready, &byte, 1);
        while (n < 0 && errno == EINTR);
        if (n == 1)
                return 0;
        (void) waitpid(pid, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_BUSY)
                return PRIVATE_E_BUSY;
        last_words(log, words, sizeof(words));
        return error_say(err, -ECHILD, "The private supervisor could not start: %s", words);
}

/* Does the supervisor behind @fd still answer; consumes @fd */
static int try_peer(int fd, RpcPeer **ret_peer, Error *err) {
        SCOPED(rpc_peer_free) RpcPeer *peer = NULL;
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        int r = rpc_peer_new_consume(fd, &peer);

        if (r < 0)
                return error_set(err, r, "connect to the private supervisor");
        r = rpc_call(peer, rpc_request(UINT32_MAX, "warder.info", cJSON_CreateObject()), NULL, 0,
                     NULL, NULL, &answer, err);
        rpc_message_deinit(&answer);
        if (r < 0)
                return r;
        *ret_peer = TAKE_PTR(peer);
        return 0;
}

static int open_run_dir(Error *err) {
        int fd;

        if (mkdir(RUNDIR, 0755) < 0 && errno != EEXIST)
                return errno == ENOENT
                               ? error_say(err, -ENOENT,
                                           "%s cannot be made, because the directory above it is "
                                           "missing: this warder was built to keep there what "
                                           "runs (--runstatedir). Make it: mkdir -p %s",
                                           RUNDIR, RUNDIR)
                               : error_set(err, -errno, "make %s", RUNDIR);
        fd = open(RUNDIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open %s", RUNDIR) : fd;
}

static void on_alarm(int signal) {
        (void) signal;
}

/*
 * The one that is alive does not answer any more, so it is ending. It holds a lock on its state directory
 * until it is gone: wait for that.
 */
static int wait_for_end(const char *instance, Error *err) {
        struct sigaction action = { .sa_handler = on_alarm }, before;
        char path[PATH_TEXT_MAX];
        autoclose int fd = -EBADF;
        int r;

        places_state(instance, path, sizeof(path));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open %s", path);
        (void) sigaction(SIGALRM, &action, &before); /* without SA_RESTART: it ends the wait */
        (void) alarm(END_SECONDS);
        r = flock(fd, LOCK_SH) < 0 ? -errno : 0;
        (void) alarm(0);
        (void) sigaction(SIGALRM, &before, NULL);
        if (r < 0)
                return error_say(err, -EBUSY,
                                 "The private supervisor '%s' is ending and has not ended for %d "
                                 "seconds.",
                                 instance, END_SECONDS);
        return 0;
}

/* Under the lock: start one unless another call just did */
static int start_locked(const char *instance, const char *path, Error *err) {
        autoclose int run = open_run_dir(err);
        autoclose int fd = -EBADF;

        if (run < 0)
                return run;
        if (flock(run, LOCK_EX) < 0)
                return error_set(err, -errno, "lock %s", RUNDIR);
        for (unsigned i = 0; i < JOINS_MAX; i++) {
                int r;

                fd = connect_socket(path);
                if (fd >= 0)
                        return 0;
                r = start_warderd(instance, err);
                if (r == PRIVATE_E_BUSY)
                        r = wait_for_end(instance, err);
                else
                        return r;
                if (r < 0)
                        return r;
        }
        return error_say(err, -EBUSY, "The private supervisor '%s' is busy with ending.", instance);
}

int private_connect(const char *instance, RpcPeer **ret_peer, Error *err) {
        char path[PATH_TEXT_MAX];
        int r = -ECONNREFUSED;

        if (!name_is_valid(instance))
                return error_say(err, -EINVAL,
                                 "WARDER_INSTANCE is no valid name: use a-z, 0-9, '.', '_', '-'.");
        snprintf(path, sizeof(path), "%s/%s/warder.sock", RUNDIR, instance);
        for (unsigned i = 0; i < JOINS_MAX; i++) {
                int fd = connect_socket(path);

                if (err) /* of the one before, which was just ending */
                        *err = ERROR_EMPTY;
                if (fd < 0) {
                        r = start_locked(instance, path, err);
                        if (r < 0)
                                return r;
                        fd = connect_socket(path);
                }
                if (fd < 0)
                        r = error_set(err, fd, "connect to the private supervisor at %s", path);
                else if ((r = try_peer(fd, ret_peer, err)) == 0)
                        return 0;
        }
        return r;
}

/*
 * confined: how a process of ours loses everything before it reads its first byte from outside.
 *
 * Order in the child, and why: descriptors first (they need no right); the bounding set and securebits
 * while SETPCAP is still there; then groups, ids (which empty the capability sets), the death signal (a
 * change of ids forgets it) and the program, by a descriptor that was opened before. no_new_privs is
 * inherited from the monitor. The program itself loads its filter as the last line of its start-up.
 */
#include "supervisor/monitor/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fds.h"
#include "base/log.h"
#include "sandbox/priv-caps.h"

#define FIRST_FD   3
#define HIGH_FD    100 /* above all that a program keeps: nothing is overwritten while they move */
#define LINE_BYTES 1024
#define SOCK_BYTES (1 << 20)
#define WORDS_USEC 1000000 /* how often a process may write to the log: WORDS_MAX times in it */
#define WORDS_MAX  500
#define END_USEC   3000000 /* to end by itself */
#define KEPT_USEC  2000000 /* a process that was killed and that the kernel does not let go */

static int place_fds(const ConfinedSpec *spec, int program, int words) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int high[CONFINED_FDS_MAX];

        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(words, 2) < 0)
                return -errno;
        program = fcntl(program, F_DUPFD_CLOEXEC, HIGH_FD);
        if (program < 0)
                return -errno;
        for (unsigned i = 0; i < spec->n_fds; i++)
                if ((high[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
                        return -errno;
        for (unsigned i = 0; i < spec->n_fds; i++)
                if (dup2(high[i], FIRST_FD + (int) i) < 0)
                        return -errno;
        if (syscall(SYS_close_range, FIRST_FD + spec->n_fds, HIGH_FD - 1, 0) < 0 ||
            syscall(SYS_close_range, (unsigned) program + 1, ~0u, 0) < 0)
                return -errno;
        return program;
}

static void become(const ConfinedSpec *spec, int program, int words) {
        char *argv[] = { (char *) (uintptr_t) spec->program, NULL };
        char *env[] = { (char[]){ "LANG=C.UTF-8" }, (char[]){ "PATH=/usr/bin:/bin" }, NULL };
        sigset_t none;
        int r;

        (void) setsid();
        (void) umask(077);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        r = program = place_fds(spec, program, words);
        if (r >= 0)
                r = caps_drop(spec->uid, spec->gid);
        if (r >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                r = -errno;
        if (r >= 0) {
                (void) syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
                r = -errno;
        }
        (void) dprintf(2, "cannot become %s: %s\n", spec->program, strerror(-r));
        _exit(127);
}

static void forget(Confined *confined) {
        confined->death = sd_event_source_disable_unref(confined->death);
        confined->words = sd_event_source_disable_unref(confined->words);
        confined->patience = sd_event_source_disable_unref(confined->patience);
        confined->is_killed = false;
        fds_close(&confined->pidfd, 1);
}

/* Its stderr: lines, cut, as data of a message of ours. */
static int on_words(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Confined *confined = userdata;
        char bytes[LINE_BYTES + 1];
        ssize_t n = read(fd, bytes, LINE_BYTES);
        char *rest = bytes, *line;

        (void) events;
        if (n <= 0) {
                confined->words = sd_event_source_disable_unref(source);
                return 0;
        }
        bytes[n] = '\0';
        while ((line = strsep(&rest, "\n")))
                if (*line)
                        log_event(LOG_WARNING, "says", F("PROCESS", confined->name),
                                  F("TEXT", line));
        return 0;
}

/* Without @userdata: of one that was given up, whose source the loop alone has. */
static int on_death(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Confined *confined = userdata;
        siginfo_t info = { .si_pid = 0 };

        (void) events;
        if (waitid(P_PIDFD, (id_t) fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return 0;
        if (!confined) {
                (void) sd_event_source_set_floating(source, false);
                return 0;
        }
        if (confined->words) /* the last ones */
                (void) on_words(confined->words, sd_event_source_get_io_fd(confined->words), 0,
                                confined);
        forget(confined);
        confined->ended(confined->monitor, info.si_code == CLD_EXITED ? info.si_status : -1);
        return 0;
}

static void give_up(Confined *confined) {
        log_event(LOG_ERR, "is killed, but kept by what serves a file that it closes: given up",
                  F("PROCESS", confined->name));
        (void) sd_event_source_set_userdata(confined->death, NULL);
        (void) sd_event_source_set_io_fd_own(confined->death, true);
        (void) sd_event_source_set_floating(confined->death, true);
        confined->death = sd_event_source_unref(confined->death);
        confined->pidfd = -EBADF;
        confined->is_given_up = true;
        forget(confined);
        confined->ended(confined->monitor, -1);
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Confined *confined = userdata;

        (void) source;
        (void) usec;
        if (confined->is_killed)
                give_up(confined);
        else
                confined_end(confined, SIGKILL);
        return 0;
}

static int watch(Confined *confined, int words, Error *err) {
        sd_event *event = confined->monitor->event;
        autoclose int owned = words;
        int r = sd_event_add_io(event, &confined->words, words, EPOLLIN, on_words, confined);

        if (r >= 0)
                r = sd_event_source_set_io_fd_own(confined->words, true);
        if (r >= 0)
                (void) TAKE_FD(owned);
        if (r >= 0) /* beyond it the pipe fills, and what it writes is lost */
                r = sd_event_source_set_ratelimit(confined->words, WORDS_USEC, WORDS_MAX);
        if (r >= 0)
                r = sd_event_add_io(event, &confined->death, confined->pidfd, EPOLLIN, on_death,
                                    confined);
        if (r < 0)
                return error_set(err, r, "watch %s", confined->name);
        (void) sd_event_source_set_description(confined->words, confined->name);
        (void) sd_event_source_set_description(confined->death, confined->name);
        return 0;
}

int confined_start(Confined *confined, const ConfinedSpec *spec, Error *err) {
        autoclose int program = -EBADF;
        int words[2], r;
        pid_t pid;

        program = confined_program(confined->monitor, spec->program, err);
        if (program < 0)
                return program;
        if (pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_set(err, -errno, "make a pipe for %s", spec->program);
        pid = fork();
        if (pid == 0)
                become(spec, program, words[1]);
        confined->pidfd = pid < 0 ? -errno : (int) syscall(SYS_pidfd_open, pid, 0);
        (void) close(words[1]);
        confined->name = spec->program;
        confined->ended = spec->ended;
        confined->is_given_up = false;
        if (confined->pidfd < 0) {
                r = error_set(err, confined->pidfd, "start %s", spec->program);
                (void) close(words[0]);
        } else {
                r = watch(confined, words[0], err);
        }
        if (r < 0)
                confined_deinit(confined);
        return r;
}

/* Without memory for the timer it is killed at once, and waited for as long as it takes. */
static void be_patient(Confined *confined) {
        uint64_t usec = confined->is_killed ? KEPT_USEC : END_USEC;

        confined->patience = sd_event_source_disable_unref(confined->patience);
        if (sd_event_add_time_relative(confined->monitor->event, &confined->patience,
                                       CLOCK_MONOTONIC, usec, 0, on_patience, confined) < 0)
                (void) syscall(SYS_pidfd_send_signal, confined->pidfd, SIGKILL, NULL, 0);
}

void confined_end(Confined *confined, int signal) {
        if (confined->pidfd < 0 || confined->is_killed || (confined->patience && signal != SIGKILL))
                return;
        confined->is_killed = signal == SIGKILL;
        (void) syscall(SYS_pidfd_send_signal, confined->pidfd, signal, NULL, 0);
        be_patient(confined);
}

void confined_deinit(Confined *confined) {
        struct pollfd end = { .fd = confined->pidfd, .events = POLLIN };
        siginfo_t info;

        if (end.fd >= 0) {
                (void) syscall(SYS_pidfd_send_signal, end.fd, SIGKILL, NULL, 0);
                (void) poll(&end, 1, KEPT_USEC / 1000);
                (void) waitid(P_PIDFD, (id_t) end.fd, &info, WEXITED | WNOHANG);
        }
        forget(confined);
}

int confined_open(const char *dir, const char *name, int flags, Error *err) {
        autofree char *path = NULL;
        int fd;

        if (asprintf(&path, "%s/%s", dir, name) < 0)
                return error_set(err, -ENOMEM, "open %s", name);
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open %s", path) : fd;
}

/* In a build tree each program lies in the folder of its sources; installed, all lie in one. */
int confined_program(const Monitor *monitor, const char *name, Error *err) {
        static const char *const folders[] = {
                "sandbox/init",      "sandbox/files", "supervisor/front",
                "supervisor/egress", "agent",         "."
        };
        const char *dir = monitor->config->libexec_dir;
        int fd = -ENOENT;

        for (unsigned i = 0; i < ELEMENTS(folders) && fd == -ENOENT; i++) {
                autofree char *path = NULL;

                if (asprintf(&path, "%s/%s", folders[i], name) < 0)
                        return error_set(err, -ENOMEM, "open %s", name);
                fd = confined_open(dir, path, O_RDONLY, NULL);
        }
        return fd < 0 ? error_set(err, fd, "open %s in %s", name, dir) : fd;
}

int confined_pair(int *ret_ours, int *ret_theirs, Error *err) {
        const int bytes = SOCK_BYTES;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return error_set(err, -errno, "make a socket pair");
        for (unsigned i = 0; i < 2; i++) /* beyond the host's maximum only with NET_ADMIN */
                if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
                        (void) setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        *ret_ours = pair[0];
        *ret_theirs = pair[1];
        return 0;
}

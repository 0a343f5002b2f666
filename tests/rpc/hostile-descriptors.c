/*
 * Descriptors that are not what they should be: as the policy's filter, as a caller's directory, as a
 * caller's connection. monitor.t is the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/rpc/hostile.h"

/* ---- kinds of descriptors ---------------------------------------------------------------------------- */

static int make_pipe(void) {
        int ends[2] = { -EBADF, -EBADF };

        if (pipe(ends) < 0)
                return -errno;
        (void) close(ends[1]);
        return ends[0];
}

static int make_socket(void) {
        return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int make_pair(void) {
        int ends[2] = { -EBADF, -EBADF };

        (void) socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        return ends[0];
}

static int make_epoll(void) {
        return epoll_create1(0);
}

static int make_event(void) {
        return eventfd(0, 0);
}

static int make_signal(void) {
        sigset_t none;

        (void) sigemptyset(&none);
        return signalfd(-1, &none, 0);
}

static int make_timer(void) {
        return timerfd_create(CLOCK_MONOTONIC, 0);
}

static int make_inotify(void) {
        return inotify_init1(0);
}

static int make_pidfd(void) {
        return (int) syscall(SYS_pidfd_open, getpid(), 0);
}

/* As long as a filter: its bytes can still be changed. */
static int make_file(void) {
        int fd = openat(FRONT_FD_STATE, "a-file", O_RDWR | O_CREAT, 0600);

        return fd >= 0 && ftruncate(fd, sizeof(struct sock_filter)) < 0 ? -errno : fd;
}

static int make_link(void) {
        if (symlinkat("/etc", FRONT_FD_STATE, "a-link") < 0 && errno != EEXIST)
                return -errno;
        return openat(FRONT_FD_STATE, "a-link", O_PATH | O_NOFOLLOW);
}

static int make_namespace(void) {
        return open("/proc/self/ns/mnt", O_RDONLY);
}

static int make_memory(void) {
        return open("/proc/self/mem", O_RDONLY);
}

static int make_device(void) {
        return open("/dev/null", O_RDWR);
}

static int make_state(void) {
        return fcntl(FRONT_FD_STATE, F_DUPFD_CLOEXEC, 0);
}

static int make_path(void) {
        return open("/etc", O_PATH | O_DIRECTORY);
}

static int make_monitor(void) {
        return fcntl(FRONT_FD_MONITOR, F_DUPFD_CLOEXEC, 0);
}

static int make_listener(void) {
        return fcntl(FRONT_FD_LISTEN, F_DUPFD_CLOEXEC, 0);
}

static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int make_memfd(size_t n, int seals) {
        static const struct sock_filter many[BPF_MAXINSNS + 1];
        int fd = memfd_create("filter", MFD_ALLOW_SEALING);

        (void) fd_write_all(fd, n == sizeof allow ? (const void *) &allow : many, n);
        (void) fcntl(fd, F_ADD_SEALS, seals);
        return fd;
}

static int make_unsealed(void) {
        return make_memfd(sizeof allow, 0);
}

static int make_writable(void) {
        return make_memfd(sizeof allow, SEALS & ~F_SEAL_WRITE);
}

static int make_future(void) { /* what is mapped already can still be written */
        return make_memfd(sizeof allow, (SEALS & ~F_SEAL_WRITE) | F_SEAL_FUTURE_WRITE);
}

static int make_growing(void) {
        return make_memfd(sizeof allow, SEALS & ~F_SEAL_GROW);
}

static int make_empty(void) {
        return make_memfd(0, SEALS);
}

static int make_odd(void) {
        return make_memfd(sizeof allow + 1, SEALS);
}

static int make_long(void) {
        return make_memfd((BPF_MAXINSNS + 1) * sizeof allow, SEALS);
}

static const struct {
        const char *name;
        int (*make)(void);
} kinds[] = {
        { "pipe", make_pipe },         { "socket", make_socket },
        { "pair", make_pair },         { "epoll", make_epoll },
        { "event", make_event },       { "signal", make_signal },
        { "timer", make_timer },       { "inotify", make_inotify },
        { "pidfd", make_pidfd },       { "file", make_file },
        { "link", make_link },         { "namespace", make_namespace },
        { "memory", make_memory },     { "device", make_device },
        { "state", make_state },       { "path", make_path },
        { "monitor", make_monitor },   { "listener", make_listener },
        { "unsealed", make_unsealed }, { "writable", make_writable },
        { "future", make_future },     { "growing", make_growing },
        { "empty", make_empty },       { "odd", make_odd },
        { "long", make_long },
};

/* ---- scenarios --------------------------------------------------------------------------------------- */

static void play_filters(FILE *out) {
        const CreateRequest request = good_request();

        for (unsigned i = 0; i < ELEMENTS(kinds); i++) {
                autoclose int fd = kinds[i].make();
                MonitorReply reply;

                if (fd < 0)
                        fprintf(out, "%s absent\n", kinds[i].name);
                else
                        fprintf(out, "%s %d\n", kinds[i].name,
                                ask(&request, sizeof request, &fd, 1, &reply));
        }
}

/* Everything as a connection and as a directory, beside a right one of the other. */
static void play_kinds(FILE *out) {
        const CreateRequest request = dir_request();
        struct pollfd wait = { FRONT_FD_LISTEN, POLLIN, 0 };
        autoclose int conn = -EBADF;
        int fds[FDS_MAX];
        unsigned n_fds = 0;
        char byte;

        (void) poll(&wait, 1, ANSWER_MSEC);
        conn = accept(FRONT_FD_LISTEN, NULL, NULL);
        if (fds_recv(conn, &byte, 1, fds, &n_fds) != 1 || n_fds != 1)
                return;
        fprintf(out, "right %d\n", ask_create(&request, fds[0], conn));
        for (unsigned i = 0; i < ELEMENTS(kinds); i++) {
                autoclose int fd = kinds[i].make();

                if (fd < 0)
                        continue;
                fprintf(out, "conn-%s %d\n", kinds[i].name, ask_create(&request, fds[0], fd));
                fprintf(out, "dir-%s %d\n", kinds[i].name, ask_create(&request, fd, conn));
        }
        fds_close(fds, n_fds);
}

/* Asks for what one caller's word says. Returns: false at the last one. */
static bool serve_caller(FILE *out, int conn, int *first) {
        CreateRequest request = dir_request();
        int fds[FDS_MAX], code = -ENODATA;
        unsigned n_fds = 0;
        char word = 0;

        if (fds_recv(conn, &word, 1, fds, &n_fds) != 1 || word == 'q')
                return false;
        if (word != 'c') /* the directory itself, to be changed */
                request.plan.views[1].flags |= VIEW_DIRECT;
        if (word == 'f' && *first < 0) /* for others to be used with */
                *first = fcntl(conn, F_DUPFD_CLOEXEC, 0);
        if (n_fds > 0)
                code = ask_create(&request, fds[0],
                                  word == 'o'   ? *first /* another caller's connection */
                                  : word == 's' ? fds[1] /* what the caller says is one */
                                  : word == 'l' ? FRONT_FD_LISTEN
                                                : conn);
        fprintf(out, "%c %d\n", word, code);
        fds_close(fds, n_fds);
        return true;
}

static void play_callers(FILE *out) {
        struct pollfd wait = { FRONT_FD_LISTEN, POLLIN, 0 };
        bool more = true;
        int first = -EBADF;

        while (more && poll(&wait, 1, ANSWER_MSEC) == 1) {
                autoclose int conn = accept(FRONT_FD_LISTEN, NULL, NULL);

                more = serve_caller(out, conn, &first);
                (void) fflush(out);
        }
        fds_close(&first, 1);
}

const Scenario wrong_descriptors[] = {
        { "filters", play_filters },
        { "kinds", play_kinds },
        { "callers", play_callers },
        { NULL, NULL },
};

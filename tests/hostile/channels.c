/*
 * channels: does one process notice another? leaks.t runs it as a pair, outside and in two jails of the same
 * root: one holds, one sees. Static, so that it is all a root needs.
 *
 *     channels hold KIND PATH     holds until it is killed; prints "holding"
 *     channels see KIND PATH      prints GOT where it notices the holder, else "held"
 *
 * PATH is a file that both can read; names of other objects are made of KEY.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/owned.h"

#define KEY       0x77617264
#define NAME      "warder-channel"
#define PORT      47123
#define WATCH_MS  1500
#define BEAT_USEC 20000
#define MANY      4096

static const char *path;

/* The descriptors of a holder stay open until it is killed. */

static bool hold_flock(void) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 && flock(fd, LOCK_EX) == 0;
}

static bool see_flock(void) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static bool hold_lock(void) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path, O_RDWR | O_CLOEXEC);

        return fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0;
}

static bool see_lock(void) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool hold_lease(void) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        (void) signal(SIGIO, SIG_IGN);
        return fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
}

static bool see_lease(void) {
        autoclose int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        return fd < 0 && errno == EWOULDBLOCK;
}

static bool hold_use(void) { /* goes on for ever: opens, reads, writes */
        (void) printf("holding\n");
        (void) fflush(stdout);
        for (;;) {
                autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
                char byte;

                if (fd < 0 || pread(fd, &byte, 1, 0) != 1 || pwrite(fd, "x", 1, 0) != 1)
                        return false;
                (void) usleep(BEAT_USEC);
        }
}

static bool watch_for(uint32_t events) {
        autoclose int fd = inotify_init1(IN_CLOEXEC);
        struct pollfd ready = { .fd = fd, .events = POLLIN };

        return fd >= 0 && inotify_add_watch(fd, path, events) >= 0 &&
               poll(&ready, 1, WATCH_MS) == 1;
}

static bool see_opens(void) {
        return watch_for(IN_OPEN | IN_ACCESS);
}

static bool see_writes(void) {
        return watch_for(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB);
}

static bool see_bytes(void) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        char byte = 0;

        return fd >= 0 && pread(fd, &byte, 1, 0) == 1 && byte == 'x';
}

static bool make_file(const char *name) {
        autoclose int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        return fd >= 0 && write(fd, "x", 1) == 1;
}

static bool hold_shm_file(void) {
        return make_file("/dev/shm/" NAME);
}

static bool see_shm_file(void) {
        return access("/dev/shm/" NAME, F_OK) == 0;
}

static bool hold_tmp_file(void) {
        return make_file("/tmp/" NAME);
}

static bool see_tmp_file(void) {
        return access("/tmp/" NAME, F_OK) == 0;
}

static bool hold_shm(void) {
        return shmget(KEY, 4096, IPC_CREAT | 0666) >= 0;
}

static bool see_shm(void) {
        return shmget(KEY, 4096, 0666) >= 0;
}

static bool hold_sem(void) {
        return semget(KEY, 1, IPC_CREAT | 0666) >= 0;
}

static bool see_sem(void) {
        return semget(KEY, 1, 0666) >= 0;
}

static bool hold_msg(void) {
        return msgget(KEY, IPC_CREAT | 0666) >= 0;
}

static bool see_msg(void) {
        return msgget(KEY, 0666) >= 0;
}

static bool hold_mq(void) {
        return mq_open("/" NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0666, NULL) >= 0;
}

static bool see_mq(void) {
        autoclose int fd = mq_open("/" NAME, O_RDONLY | O_CLOEXEC);

        return fd >= 0;
}

static const struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0" NAME };

static bool hold_abstract(void) {
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return bind(sock, (const struct sockaddr *) &abstract, sizeof(abstract)) == 0 &&
               listen(sock, 1) == 0;
}

static bool see_abstract(void) {
        autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(sock, (const struct sockaddr *) &abstract, sizeof(abstract)) == 0;
}

static struct sockaddr_in loopback(void) {
        return (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons(PORT),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool hold_port(void) {
        const struct sockaddr_in at = loopback();
        int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return bind(sock, (const struct sockaddr *) &at, sizeof(at)) == 0 && listen(sock, 1) == 0;
}

static bool see_port(void) {
        const struct sockaddr_in at = loopback();
        autoclose int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(sock, (const struct sockaddr *) &at, sizeof(at)) == 0;
}

static bool hold_watches(void) { /* all inotify instances of this user */
        unsigned n = 0;

        while (n < MANY && inotify_init1(IN_CLOEXEC) >= 0)
                n++;
        return n > 0 && n < MANY && errno == EMFILE;
}

static bool see_watches(void) {
        autoclose int fd = inotify_init1(IN_CLOEXEC);

        return fd < 0;
}

static const struct {
        const char *name;
        bool (*hold)(void);
        bool (*see)(void);
} kinds[] = {
        { "flock", hold_flock, see_flock },          { "lock", hold_lock, see_lock },
        { "lease", hold_lease, see_lease },          { "opens", hold_use, see_opens },
        { "writes", hold_use, see_writes },          { "bytes", hold_use, see_bytes },
        { "shm-file", hold_shm_file, see_shm_file }, { "tmp-file", hold_tmp_file, see_tmp_file },
        { "sysv-shm", hold_shm, see_shm },           { "sysv-sem", hold_sem, see_sem },
        { "sysv-msg", hold_msg, see_msg },           { "mq", hold_mq, see_mq },
        { "abstract", hold_abstract, see_abstract }, { "port", hold_port, see_port },
        { "watches", hold_watches, see_watches },
};

int main(int argc, char **argv) {
        if (argc != 4)
                return 2;
        path = argv[3];
        for (unsigned i = 0; i < ELEMENTS(kinds); i++) {
                if (strcmp(kinds[i].name, argv[2]) != 0)
                        continue;
                if (strcmp(argv[1], "see") == 0) {
                        puts(kinds[i].see() ? "GOT" : "held");
                        return 0;
                }
                if (!kinds[i].hold())
                        return 1;
                puts("holding");
                (void) fflush(stdout);
                for (;;)
                        (void) pause();
        }
        return 2;
}

/*
 * exhaust: see exhaust.h. The ends that no limit should let be reached are far above any policy, and yet
 * bounded, so that a jail without walls does not take the host with it.
 */
#include "cli/probe/exhaust.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#define PROCESSES   600
#define MEMORY_STEP (1u << 20)
#define MEMORY_MAX  512 /* steps */
#define FILE_STEP   (1u << 16)
#define FILE_MAX    4096 /* steps */
#define FILES       20000
#define FLOOD_MAX   (1u << 14) /* steps of FILE_STEP */
#define LOCK_PATH   "/tmp/.warder-lock"

/* They would live on when this one has ended, and refuse the next command its process. */
static void end_processes(const pid_t *pids, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                (void) kill(pids[i], SIGKILL);
        for (unsigned i = 0; i < n; i++)
                (void) waitpid(pids[i], NULL, 0);
}

static int take_processes(void) {
        static pid_t pids[PROCESSES];
        unsigned n = 0;

        for (; n < PROCESSES; n++) {
                pids[n] = fork();
                if (pids[n] < 0)
                        break;
                if (pids[n] == 0)
                        for (;;)
                                (void) pause();
        }
        end_processes(pids, n);
        return n == PROCESSES ? 0 : EXHAUST_REFUSED;
}

static int take_memory(void) {
        for (unsigned i = 0; i < MEMORY_MAX; i++) {
                void *more = mmap(NULL, MEMORY_STEP, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

                if (more == MAP_FAILED)
                        return EXHAUST_REFUSED;
                memset(more, 1, MEMORY_STEP);
        }
        return 0;
}

static int fill(int fd, unsigned steps) {
        static char block[FILE_STEP];

        for (unsigned i = 0; i < steps; i++)
                if (write(fd, block, sizeof(block)) < 0)
                        return EXHAUST_REFUSED;
        return 0;
}

static int take_bytes(void) {
        int fd = open("/tmp/.warder-fill", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        return fd < 0 ? EXHAUST_REFUSED : fill(fd, FILE_MAX); /* full is seen at the end only */
}

static int take_inodes(void) {
        char path[64];
        unsigned made;
        int r = 0;

        for (made = 0; made < FILES && r == 0; made++) {
                int fd;

                (void) snprintf(path, sizeof(path), "/tmp/.warder-fill-%u", made);
                fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                if (fd < 0)
                        r = EXHAUST_REFUSED;
                else
                        (void) close(fd);
        }
        return r;
}

static int take_output(void) {
        return fill(STDOUT_FILENO, FLOOD_MAX);
}

static int take_processor(void) {
        for (volatile unsigned long i = 0;; i++)
                if (i == ~0ul)
                        return 0;
}

static int take_time(void) {
        while (pause() < 0) /* a signal that is handled; there is none */
                ;
        return 0;
}

static int take_descriptors(void) {
        for (unsigned i = 0; i < (1u << 20); i++)
                if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
                        return EXHAUST_REFUSED;
        return 0;
}

/* A process in a session of its own that holds a lock; returns when it has it */
static int stay_behind(void) {
        int ends[2], fd;
        char byte;

        if (pipe(ends) < 0)
                return EXHAUST_REFUSED;
        if (fork() == 0) {
                (void) setsid();
                if (fork() > 0)
                        _exit(0);
                fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
                if (fd < 0 || flock(fd, LOCK_EX) < 0)
                        _exit(1);
                (void) !write(ends[1], "x", 1);
                for (unsigned i = 0; i <= 2; i++)
                        (void) close((int) i);
                for (;;)
                        (void) pause();
        }
        (void) close(ends[1]);
        return read(ends[0], &byte, 1) == 1 ? 0 : EXHAUST_REFUSED;
}

/* The process that is left behind has to go when the time limit ends this one */
static int linger(void) {
        int r = stay_behind();

        return r == 0 ? take_time() : r;
}

/* Does the lock of stay_behind() get free: what was killed may need a moment to die, who was not keeps it */
static int look_behind(void) {
        int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

        return fd >= 0 && flock(fd, LOCK_EX) == 0 ? 0 : 1;
}

static int do_nothing(void) {
        return 0;
}

int exhaust_run(const char *name) {
        static const struct {
                const char *name;
                int (*run)(void);
        } ways[] = {
                { "processes", take_processes }, { "memory", take_memory },
                { "bytes", take_bytes },         { "inodes", take_inodes },
                { "output", take_output },       { "processor", take_processor },
                { "time", take_time },           { "descriptors", take_descriptors },
                { "stay", stay_behind },         { "linger", linger },
                { "look", look_behind },         { "nothing", do_nothing },
        };

        for (unsigned i = 0; i < ELEMENTS(ways); i++)
                if (strcmp(ways[i].name, name) == 0)
                        return ways[i].run();
        return EXHAUST_UNKNOWN;
}

/*
 * hold-locks COUNT: hold so many locks of files, of one byte each, which never touch; say "reached" and go on until the input
 * ends. A hundred a file, whose list the kernel walks for each, and some thousand files a process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EACH_FILE 100L
#define FILES     3500L

static void give_up(const char *what) {
        fprintf(stderr, "hold-locks: %s: %s\n", what, strerror(errno));
        _exit(1);
}

/* The newest first in its file: then the kernel finds its place at once. */
static void lock(long count) {
        int fd = -1;

        for (long i = 0; i < count; i++) {
                struct flock range = { .l_type = F_WRLCK,
                                       .l_whence = SEEK_SET,
                                       .l_start = 2 * (EACH_FILE - i % EACH_FILE),
                                       .l_len = 1 };

                if (i % EACH_FILE == 0)
                        fd = memfd_create("locked", 0);
                if (fd < 0 || fcntl(fd, F_SETLK, &range) < 0)
                        give_up("lock");
        }
}

static void hold(long count, int said) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                give_up("tie to the parent");
        lock(count);
        if (write(said, "x", 1) != 1)
                give_up("say so");
        for (;;)
                (void) pause();
}

int main(int argc, char **argv) {
        long left = argc == 2 ? atol(argv[1]) : 0, holders = 0;
        int ends[2];
        char byte;

        if (left <= 0 || pipe2(ends, O_CLOEXEC) < 0)
                give_up("usage: hold-locks COUNT");
        for (; left > 0; left -= EACH_FILE * FILES, holders++) {
                pid_t pid = fork();

                if (pid < 0)
                        give_up("fork");
                if (pid == 0)
                        hold(left < EACH_FILE * FILES ? left : EACH_FILE * FILES, ends[1]);
        }
        (void) close(ends[1]);
        while (holders > 0 && read(ends[0], &byte, 1) == 1)
                holders--;
        puts(holders == 0 ? "reached" : "failed");
        (void) fflush(stdout);
        while (read(0, &byte, 1) > 0)
                ;
        return holders != 0;
}

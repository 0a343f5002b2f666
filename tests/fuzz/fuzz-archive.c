/*
 * archive: a hostile archive is unpacked. Whatever it says, nothing changes outside of the layer, and the job
 * ends with a digest, with a refusal, or with a reason.
 */
#include "sandbox/files/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/listing.h"
#include "tests/fuzz/fuzz.h"

#define CANARY "canary"
#define BELOW  "below"

static char top[256];
static int top_fd = -EBADF;

static void must(bool good) {
        if (!good)
                abort();
}

static void leave(void) {
        (void) beneath_remove(top_fd, "out");
        (void) beneath_remove(top_fd, BELOW);
        (void) unlinkat(top_fd, CANARY, 0);
        (void) rmdir(top);
}

/* What a layer of an image may lie upon: a directory, a file, a link that leads out. */
static void make_below(void) {
        autoclose int below = -EBADF;
        int fd;

        must(mkdirat(top_fd, BELOW, 0755) == 0);
        below = beneath_dir(top_fd, BELOW);
        must(below >= 0 && mkdirat(below, "d", 0755) == 0 && symlinkat("..", below, "l") == 0);
        fd = openat(below, "d/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        must(fd >= 0);
        (void) close(fd);
}

/* One directory for the process: the layer, and beside it a file that no archive may touch. */
static void enter(void) {
        const char *temporary =
                getenv("TMPDIR"); /* one in memory makes exploring ten times as fast */
        cpu_set_t one;
        int fd;

        if (top_fd >= 0)
                return;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        (void) sched_setaffinity(0, sizeof(one),
                                 &one); /* no threads of the hasher for each input */
        (void) snprintf(top, sizeof(top), "%s/warder-fuzz-archive.XXXXXX",
                        temporary ? temporary : "/tmp");
        (void) umask(0);
        must(mkdtemp(top) != NULL);
        top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd = openat(top_fd, CANARY, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        must(fd >= 0 && write(fd, CANARY, strlen(CANARY)) > 0);
        (void) close(fd);
        make_below();
        (void) atexit(leave);
}

static void check_canary(void) {
        SCOPED(listing_free) Listing *list = NULL;
        autoclose int fd = beneath_open(top_fd, CANARY, O_RDONLY, 0);
        struct stat st;
        char text[16] = "";

        must(fd >= 0 && fstat(fd, &st) == 0 && read(fd, text, sizeof(text) - 1) > 0);
        must(strcmp(text, CANARY) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0644);
        must(listing_new(top_fd, &list) == 0 && list->n == 3);
}

/* As a tree, or as a layer of an image over a small tree, where deletions are obeyed. */
static void run(const uint8_t *data, size_t n, bool is_layer) {
        autoclose int in = memfd_sealed("archive", data, n, false, NULL);
        autoclose int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        autoclose int out = -EBADF;
        Report report = REPORT_EMPTY(nowhere);
        Error err = ERROR_EMPTY;
        autoclose int below = -EBADF;
        UnpackJob job = { .in = in,
                          .below = -EBADF,
                          .is_layer = is_layer,
                          .limits = { .bytes = 1 << 20, .entries = 200, .disk = 1 << 20 } };

        must(in >= 0 && mkdirat(top_fd, "out", 0700) == 0);
        job.out = out = beneath_dir(top_fd, "out");
        if (is_layer)
                job.below = below = beneath_dir(top_fd, BELOW);
        if (unpack_run(&job, &report, &err) < 0)
                must(report.refused || err.text[0]);
        else
                must(!report.refused);
        must(beneath_remove(top_fd, "out") == 0);
        must(mkdirat(top_fd, "out", 0700) == 0); /* so that a place of that name is always there */
        check_canary();
        must(unlinkat(top_fd, "out", AT_REMOVEDIR) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        enter();
        run(data, n, false);
        run(data, n, true);
        return 0;
}

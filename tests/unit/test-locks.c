/*
 * test-locks: sandbox/init/locks.c on a list of the kernel's that is played: it moves on while it is read.
 */
#include <stdio.h>
#include <unistd.h>

#include "sandbox/init/locks.h"
#include "supervisor/wire.h"
#include "tests/tap.h"

#define PAGE_LINES 70

static unsigned held;   /* locks of the jail, one after the other in the host's list */
static unsigned moves;  /* locks that others add before them between two pages */
static unsigned others; /* lines of the kind that has no process */
static unsigned moved, next;

ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at);

static int put_line(char *text, size_t n, unsigned number) {
        return snprintf(text, n, "%u: %s  ADVISORY  WRITE %u 00:01:%u %u %u\n", number + moved,
                        number < others ? "OFDLCK" : "POSIX", 7u, 1000 + number / 100, number % 100,
                        number % 100);
}

/* A page of whole lines, which begins so many entries after the list's beginning as were shown before */
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at) {
        char *text = bytes;
        size_t used = 0;

        (void) fd;
        if (at == 0)
                next = moved = 0;
        else
                moved += moves;
        next -= at == 0 ? 0 : moves < next ? moves : next;
        for (unsigned i = 0; i < PAGE_LINES && next < held; i++)
                used += (size_t) put_line(text + used, n - used, next++);
        return (ssize_t) used;
}

static void play(unsigned n, unsigned n_moves) {
        held = n;
        moves = n_moves;
        others = 0;
}

static void test_quiet(void) {
        play(2000, 0);
        is_number(locks_count(0), 2000, "a list that stays is counted whole");
        play(100000, 0);
        is_number(locks_count(0), INIT_LOCKS_MAX, "and no further than is needed");
        play(2000, 0);
        others = 500;
        is_number(locks_count(0), 1500, "what has no process is not the jail's");
        play(1, 0);
        is_number(locks_count(0), 1, "the count before is forgotten");
}

static void test_moving(void) {
        play(2000, 60);
        is_number(locks_count(0), 2000, "what is read again is counted once");
        play(INIT_LOCKS_MAX, 40);
        is_number(locks_count(0), INIT_LOCKS_MAX, "and hides nobody who has too many");
        play(2000, PAGE_LINES);
        is_number(locks_count(0), PAGE_LINES,
                  "who adds them as fast as they are read keeps nobody");
}

int main(void) {
        test_quiet();
        test_moving();
        return tap_end();
}

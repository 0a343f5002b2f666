/*
 * test-locks: sandbox/init/locks.c on a list of the kernel's that is played: it moves on while it is read.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/init/locks.h"
#include "supervisor/wire.h"
#include "tests/tap.h"

#define PAGE 4096

typedef struct Play {
        unsigned held;    /* locks of the jail at the beginning */
        unsigned adds[2]; /* that it makes before each read, the odd and the even ones */
        unsigned moves;   /* that others make before each read; the list's numbers count them */
        unsigned others;  /* of the lines, the kind that has no process */
} Play;

static Play play;
static unsigned reads, next;
static off_t ended;

ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at);

/* The newest comes first, as the kernel has it */
static int put_line(char *line, size_t n, unsigned place, unsigned lock) {
        return snprintf(line, n, "%u: %s  ADVISORY  WRITE 7 00:01:%u %u %u\n",
                        place + reads * play.moves, lock < play.others ? "OFDLCK" : "POSIX",
                        1000 + lock / 100, lock % 100, lock % 100);
}

/*
 * Where the read before it ended: at so many locks of the host after the beginning. Elsewhere: so many bytes
 * after the beginning of what is seen. As far as lines have room in a page.
 */
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at) {
        char *text = bytes, line[128];
        bool goes_on = at > 0 && at == ended;
        unsigned place = goes_on && next > play.moves ? next - play.moves : 0;
        off_t seen = goes_on ? at : 0;
        size_t used = 0;

        (void) fd;
        (void) n;
        play.held += play.adds[reads++ % 2];
        for (; place < play.held; place++) {
                int length = put_line(line, sizeof(line), place, play.held - 1 - place);
                off_t cut = at > seen ? at - seen : 0;

                seen += length;
                if (cut >= length)
                        continue;
                if (used + (size_t) (length - cut) > PAGE)
                        break;
                memcpy(text + used, line + cut, (size_t) (length - cut));
                used += (size_t) (length - cut);
        }
        next = place;
        ended = at + (off_t) used;
        return (ssize_t) used;
}

static uint64_t count(Play of) {
        play = of;
        reads = next = 0;
        ended = -1;
        return locks_count(0);
}

static void test_quiet(void) {
        is_number(count((Play){ .held = 2000 }), 2000, "a list that stays is counted whole");
        is_number(count((Play){ .held = 20000 }), INIT_LOCKS_MAX, "and no further than is needed");
        is_number(count((Play){ .held = 2000, .others = 500 }), 1500,
                  "what has no process is not the jail's");
        is_number(count((Play){ .held = 1 }), 1, "the count before is forgotten");
        is_number(count((Play){ .held = 0 }), 0, "and none are none");
}

static void test_moving(void) {
        is_number(count((Play){ .held = 2000, .moves = 20 }), 2000,
                  "what others make moves it, and it is counted once");
        ok(count((Play){ .held = 7000, .moves = 1000 }) <= 7000, "however many they make");
        is_number(count((Play){ .held = 2000, .adds = { 30, 30 } }), INIT_LOCKS_MAX,
                  "who makes more and more has too many in the end");
        is_number(count((Play){ .held = 100, .adds = { 500, 500 } }), INIT_LOCKS_MAX,
                  "and soon who makes them faster than they are read");
        is_number(count((Play){ .held = 100, .adds = { 500, 0 } }), INIT_LOCKS_MAX,
                  "before each beginning");
        is_number(count((Play){ .held = 100, .adds = { 0, 500 } }), INIT_LOCKS_MAX,
                  "or before what comes behind it");
        ok(reads < 1000, "in a number of reads that has an end: %u", reads);
}

int main(void) {
        test_quiet();
        test_moving();
        return tap_end();
}

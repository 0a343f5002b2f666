/*
 * locks: see locks.h.
 *
 * The kernel gives its list a page at a time, the newest locks first, and a page begins where the one before it
 * ended: at so many locks of the whole host. Who makes more of them meanwhile, here or in another jail, moves
 * what has been read away from the beginning, and it is read again. So
 * - each lock is counted once, by its text: process, file and range, which no other lock has. Two of one process,
 *   file and range are possible only where its threads have tables of descriptors of their own (unshare(2)
 *   and close_range(2), which the shipped profiles but `debug` refuse), and of flock(2), of which each has an
 *   open file, which is charged.
 * - where a page has nothing new, the beginning is read: what moved the others is there, if it is this jail's,
 *   and nobody hides by haste. If it has nothing new either, somebody else makes locks, and is found there.
 *
 * A text is known by a hash whose key nobody in the jail can tell, else he would make locks of one hash.
 */
#include "sandbox/init/locks.h"

#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "supervisor/wire.h"

#define TEXT_MAX 8192 /* whole lines come, a page of them at a time */
#define OTHER_LOCK \
        "OFDLCK" /* has no process: all namespaces see it; the floor lets no jail make one */
#define LINES_MAX (4 * INIT_LOCKS_MAX) /* that there is no end to it keeps us no longer */
#define LAP       256                  /* of a page and the one before it: no line is longer */
#define PLACES    (2 * INIT_LOCKS_MAX)
#define PRIME     ((UINT64_C(1) << 61) - 1)

typedef unsigned __int128 Wide;

typedef struct Known {
        uint64_t places[PLACES]; /* hashes; 0: free */
        uint64_t key;
        uint64_t n;
        unsigned lines; /* read, the known ones too */
} Known;

/* AT_RANDOM: sixteen bytes from the kernel, for this program alone. It costs no system call. */
static uint64_t secret(void) {
        const void *random = (const void *) getauxval(AT_RANDOM);
        uint64_t key = 0;

        if (random)
                memcpy(&key, random, sizeof(key));
        return key % PRIME;
}

/* A polynomial at a secret place: two texts of n bytes share a hash with a chance of n in 2^61 */
static uint64_t hash(const Known *known, const char *text, size_t n) {
        uint64_t sum = n;

        for (size_t i = 0; i < n; i++)
                sum = (uint64_t) (((Wide) sum * known->key + (unsigned char) text[i]) % PRIME);
        return sum ? sum : 1;
}

static void add(Known *known, const char *text, size_t n) {
        uint64_t sum = hash(known, text, n);
        size_t at = sum % PLACES;

        while (known->places[at] && known->places[at] != sum)
                at = (at + 1) % PLACES;
        known->n += known->places[at] == 0;
        known->places[at] = sum;
}

/* "12: POSIX  ADVISORY  WRITE 7 00:01:1034 2 2": the number is its place in the list, which changes */
static void take_line(Known *known, const char *line, size_t n) {
        const char *text = memchr(line, ':', n);

        known->lines++;
        if (text && !memmem(line, n, OTHER_LOCK, strlen(OTHER_LOCK)))
                add(known, text, (size_t) (line + n - text));
}

static bool is_enough(const Known *known) {
        return known->n >= INIT_LOCKS_MAX || known->lines >= LINES_MAX;
}

static void take_lines(Known *known, const char *text, size_t n) {
        const char *end, *stop = text + n;

        for (; !is_enough(known) && (end = memchr(text, '\n', (size_t) (stop - text)));
             text = end + 1)
                take_line(known, text, (size_t) (end - text));
}

/* Of a page that does not begin with the list: its first line may be the rest of one */
static const char *whole_lines(const char *text, size_t n) {
        const char *end = memchr(text, '\n', n);

        return end ? end + 1 : text + n;
}

/* @lap: the page before was another one. Returns: where the page after it begins; @at: there is none */
static off_t take_page(Known *known, int fd, off_t at, bool lap) {
        static char text[TEXT_MAX];
        off_t from = lap && at > LAP ? at - LAP : at;
        ssize_t n = pread(fd, text, sizeof(text), from);
        const char *lines = text;

        if (n <= 0)
                return at;
        if (lap && from > 0)
                lines = whole_lines(text, (size_t) n);
        take_lines(known, lines, (size_t) (text + n - lines));
        return from + n > at ? from + n : at;
}

uint64_t locks_count(int fd) {
        static Known known;
        off_t at = 0, before = -1;
        bool lap = false;

        memset(&known, 0, sizeof(known));
        known.key = secret();
        while (!is_enough(&known) && at != before) {
                uint64_t n = known.n;

                before = at;
                at = take_page(&known, fd, at, lap);
                lap = known.n == n;
                if (!lap || at == before)
                        continue;
                (void) take_page(&known, fd, 0, false);
                if (known.n == n)
                        break;
        }
        return known.n;
}

/* many: see many.h. */
#include "tests/bench/many.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/owned.h"
#include "tests/bench/figures.h"
#include "tests/bench/peers.h"
#include "tests/bench/sleepers.h"

#define SOME         50u
#define TIMES        3
#define WINDOW       50u
#define FILL_SECONDS 60

typedef struct Memory { /* of one sandbox, as often as it was read */
        const char *name;
        const char *program; /* must be installed; NULL: ours */
        int (*read)(Bench *bench, uint64_t *ret_bytes, Error *err);
        uint64_t bytes[TIMES];
        unsigned n;
        char fault[ERROR_TEXT_MAX];
} Memory;

typedef struct Mark { /* so many jails are there */
        unsigned n, listed;
        uint64_t median, least, list, bytes;
} Mark;

static Sleepers sleepers;
static Mark marks[] = {
        { .n = 50 }, { .n = 100 }, { .n = 300 }, { .n = 800 }, { .n = SLEEPERS_MAX }
};

static int read_jails(Bench *bench, uint64_t *ret_bytes, Error *err) {
        uint64_t before = sleepers_available();
        int r = sleepers_start(&sleepers, bench, err);

        while (r >= 0 && sleepers.n < SOME)
                r = sleepers_add(&sleepers, bench, err);
        if (r >= 0)
                r = sleepers_took(before, SOME, ret_bytes, err);
        sleepers_end(&sleepers, bench);
        return r;
}

static int read_bwrap(Bench *bench, uint64_t *ret_bytes, Error *err) {
        (void) bench;
        return sleepers_of_bwrap(SOME, ret_bytes, err);
}

static int read_crun(Bench *bench, uint64_t *ret_bytes, Error *err) {
        return sleepers_of_crun(bench, SOME, ret_bytes, err);
}

static Memory memories[] = {
        { .name = "crun run -d", .program = "crun", .read = read_crun },
        { .name = "a jail", .read = read_jails },
        { .name = "bwrap, all namespaces", .program = "bwrap", .read = read_bwrap },
};

/* ---- a thousand ------------------------------------------------------------------------------------ */

/* All pages of it. Returns: how many jails they name */
static unsigned list_all(Bench *bench) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[64] = "{}";
        unsigned n = 0;

        for (const char *next = ""; next; next = json_text(result, "next")) {
                Error err = ERROR_EMPTY;

                if (*next)
                        (void) snprintf(params, sizeof(params), "{\"cursor\":\"%s\"}", next);
                result = json_free(result);
                if (bench_call(&bench->with, "jail.list", params, NULL, 0, &result, &err) < 0) {
                        (void) fprintf(stderr, "bench: jail.list: %s\n", err.text);
                        break;
                }
                n += (unsigned) cJSON_GetArraySize(json_get(result, "jails"));
        }
        return n;
}

static void take_mark(Mark *mark, Bench *bench, uint64_t before) {
        uint64_t window[WINDOW], start;
        Error err = ERROR_EMPTY;

        (void) sleepers_took(before, sleepers.n, &mark->bytes, &err);
        memcpy(window, sleepers.made + sleepers.n - WINDOW, sizeof(window));
        figures_sort(window, WINDOW);
        start = figures_now();
        mark->listed = list_all(bench);
        mark->list = figures_now() - start;
        mark->median = window[WINDOW / 2];
        mark->least = window[0];
}

/* A host under pressure has no room for a moment. */
static bool is_busy(const Error *err) {
        if (!strstr(err->text, "\"busy\""))
                return false;
        (void) nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
        return true;
}

static int fill(Bench *bench, uint64_t before, Error *err) {
        uint64_t end = figures_now() + FILL_SECONDS * 1000000000ull;
        int r = sleepers_start(&sleepers, bench, err);

        for (unsigned mark = 0; r >= 0 && mark < ELEMENTS(marks);) {
                if (figures_now() > end)
                        return error_say(err, -ETIMEDOUT, "%d s were over", FILL_SECONDS);
                r = sleepers_add(&sleepers, bench, err);
                if (r < 0 && is_busy(err))
                        r = 0;
                else if (r >= 0 && sleepers.n == marks[mark].n)
                        take_mark(&marks[mark++], bench, before);
        }
        return r;
}

static void print_marks(void) {
        char median[16], least[16], list[16];

        printf("\n| idle jails, each with a `sleep` | ms to make one more, median of the last %u | "
               "least | ratio to the first row | ms to list them |\n|---|---|---|---|---|\n",
               WINDOW);
        for (unsigned i = 0; i < ELEMENTS(marks) && marks[i].median; i++)
                printf("| %u | %s | %s | %.2f | %s (%u) |\n", marks[i].n,
                       figures_msec(marks[i].median, median), figures_msec(marks[i].least, least),
                       (double) marks[i].median / (double) marks[0].median,
                       figures_msec(marks[i].list, list), marks[i].listed);
}

/* ---- memory ---------------------------------------------------------------------------------------- */

static void read_all(Bench *bench) {
        for (unsigned t = 0; t < TIMES; t++)
                for (unsigned i = 0; i < ELEMENTS(memories); i++) {
                        Memory *memory = &memories[(i + t) % ELEMENTS(memories)];
                        Error err = ERROR_EMPTY;

                        if (memory->program && !peer_is_there(memory->program))
                                (void) error_say(&err, -ENOENT, "%s is not installed",
                                                 memory->program);
                        else if (memory->read(bench, &memory->bytes[memory->n], &err) >= 0)
                                memory->n++;
                        (void) snprintf(memory->fault, sizeof(memory->fault), "%s", err.text);
                }
}

static void print_line(const char *name, unsigned n, const uint64_t *bytes, unsigned n_bytes,
                       const Memory *base) {
        double of = (double) figures_at(base->bytes, base->n, 50);

        printf("| %s | %u | %.0f | %.0f |", name, n, (double) figures_at(bytes, n_bytes, 50) / 1024,
               (double) bytes[0] / 1024);
        if (of > 0)
                printf(" %.2f", (double) figures_at(bytes, n_bytes, 50) / of);
        printf(" |\n");
}

static void print_memory(void) {
        const Mark *last = &marks[ELEMENTS(marks) - 1];

        printf("\n| memory of an idle one with a `sleep`, the kernel's included | how many | kB "
               "each, median of %d | least | ratio to crun |\n|---|---|---|---|---|\n",
               TIMES);
        for (unsigned i = 0; i < ELEMENTS(memories); i++) {
                Memory *memory = &memories[i];

                figures_sort(memory->bytes, memory->n);
                if (memory->n)
                        print_line(memory->name, SOME, memory->bytes, memory->n, &memories[0]);
                else
                        printf("| %s | %u | left out: %s | | |\n", memory->name, SOME,
                               memory->fault);
        }
        if (last->bytes)
                print_line("a jail, read once", last->n, &last->bytes, 1, &memories[0]);
}

void many_run(Bench *bench) {
        Error err = ERROR_EMPTY;
        uint64_t before, start;
        double ended;

        read_all(bench);
        before = sleepers_available();
        if (fill(bench, before, &err) < 0)
                printf("\nOnly %u jails were made: %s\n", sleepers.n, err.text);
        start = figures_now();
        sleepers_end(&sleepers, bench);
        ended = (double) (figures_now() - start) / 1e6;
        print_memory();
        print_marks();
        if (sleepers.n)
                printf("\n%u jails were ended one after the other, each seen gone, in %.2f ms "
                       "each.\n",
                       sleepers.n, ended / sleepers.n);
        (void) fflush(stdout);
}

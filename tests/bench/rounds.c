/* rounds: see rounds.h. */
#include "tests/bench/rounds.h"

#include <stdio.h>
#include <time.h>

#include "tests/bench/figures.h"
#include "tests/bench/peers.h"

#define PAUSE_MSEC 30

static int run_batch(Bench *bench, Row *row, Error *err) {
        unsigned batch = row->batch ? row->batch : 1;
        int r = 0;

        for (unsigned i = 0; i < batch && r >= 0; i++) {
                uint64_t start = figures_now();

                r = row->run(bench, err);
                if (r >= 0 && row->n < SAMPLES_MAX)
                        row->times[row->n++] = figures_now() - start;
        }
        return r;
}

static void run_row(Bench *bench, Row *row) {
        const struct timespec pause = { .tv_nsec = PAUSE_MSEC * 1000000L };
        Error err = ERROR_EMPTY;
        int r = row->before ? row->before(bench, &err) : 0;

        (void) nanosleep(&pause, NULL); /* let shells be refilled, off the clock */
        if (r >= 0)
                r = run_batch(bench, row, &err);
        if (r >= 0 && row->after)
                r = row->after(bench, &err);
        if (r >= 0)
                return;
        (void) fprintf(stderr, "bench: %s: %s\n", row->name, err.text);
        (void) snprintf(row->fault, sizeof(row->fault), "%s", err.text);
}

static void find_programs(Row *rows, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                if (rows[i].program && !peer_is_there(rows[i].program))
                        (void) snprintf(rows[i].fault, sizeof(rows[i].fault), "%s is not installed",
                                        rows[i].program);
}

static void print_row(const Row *row, const Row *base) {
        char median[16], least[16], late[16];
        uint64_t of = figures_at(base->times, base->n, 50);

        if (row->fault[0] || row->n == 0) {
                printf("| %s | left out: %s | | | | |\n", row->name,
                       row->fault[0] ? row->fault : "no round");
                return;
        }
        printf("| %s | %s | %s | %s | %.2f | %.2f |\n", row->name,
               figures_msec(figures_at(row->times, row->n, 50), median),
               figures_msec(row->times[0], least),
               figures_msec(figures_at(row->times, row->n, 99), late),
               (double) figures_at(row->times, row->n, 50) / (double) (of ? of : 1),
               (double) row->times[0] / (double) (base->n ? base->times[0] : 1));
}

void rounds_run(Bench *bench, const char *title, Row *rows, unsigned n, unsigned rounds,
                unsigned seconds) {
        uint64_t end = figures_now() + seconds * 1000000000ull;

        find_programs(rows, n);
        for (unsigned round = 0; round < rounds && figures_now() < end; round++)
                for (unsigned i = 0; i < n; i++) {
                        Row *row = &rows[(i + round) % n];

                        if (!row->fault[0] && (row->every == 0 || round % row->every == 0))
                                run_row(bench, row);
                }
        for (unsigned i = 0; i < n; i++)
                figures_sort(rows[i].times, rows[i].n);
        printf("\n| %s | median ms | least ms | p99 ms | ratio of the medians | of the leasts "
               "|\n|---|---|---|---|---|---|\n",
               title);
        for (unsigned i = 0; i < n; i++)
                print_row(&rows[i], &rows[0]);
        (void) fflush(stdout);
}

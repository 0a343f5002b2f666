/*
 * load: see load.h. What takes turns is a short run of one kind with so many clients; the runs of a kind are added up,
 * so that what else the host does meets all of them.
 */
#include "tests/bench/load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/figures.h"
#include "tests/bench/kinds.h"
#include "tests/bench/peers.h"

#define CLIENTS_MAX  8
#define TURNS        3
#define TURN_NSEC    1500000000u
#define PER_CLIENT   8192u /* samples of one client in one turn */
#define KIND_SAMPLES (PER_CLIENT * CLIENTS_MAX * TURNS)
#define CALM_MSEC    300

typedef struct Slice { /* of one client, shared with it */
        unsigned n;
        uint64_t nsec; /* that it was at work */
        Error err;
        uint64_t times[PER_CLIENT];
} Slice;

typedef struct Sum {
        double per_second; /* of all turns: divide by their number */
        unsigned n, n_turns;
        uint64_t asked, ready; /* jails, and of them those that found a shell */
        uint64_t *times;       /* owned */
        char fault[ERROR_TEXT_MAX];
} Sum;

static const struct {
        unsigned n, tables; /* KindTable in which it is shown */
} clients[] = { { 1, KIND_COMMANDS }, { 2, KIND_JAILS }, { 8, KIND_JAILS | KIND_COMMANDS } };

static Sum sums[KINDS_MAX][ELEMENTS(clients)];

/* ---- one turn ------------------------------------------------------------------------------------- */

_Noreturn static void work(Bench *bench, const Kind *kind, unsigned number, Slice *slice) {
        Worker worker = { .bench = bench, .number = number };
        Error err = ERROR_EMPTY, late = ERROR_EMPTY;
        int r;
        uint64_t start, now;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = kind->prepare ? kind->prepare(&worker, &err) : 0;
        start = now = figures_now();
        while (r >= 0 && now < start + TURN_NSEC && slice->n < PER_CLIENT) {
                r = kind->once(&worker, &err);
                slice->times[slice->n] = figures_now() - now;
                now += slice->times[slice->n];
                slice->n += r >= 0;
        }
        slice->nsec = now - start;
        slice->err = err;
        if (kind->finish)
                (void) kind->finish(&worker, &late);
        rpc_peer_free(worker.peer);
        _exit(0);
}

static void add_up(Sum *sum, const Slice *slices, unsigned n) {
        sum->n_turns++;
        for (unsigned i = 0; i < n; i++) {
                memcpy(sum->times + sum->n, slices[i].times, slices[i].n * sizeof(uint64_t));
                sum->n += slices[i].n;
                if (slices[i].nsec)
                        sum->per_second += slices[i].n * 1e9 / (double) slices[i].nsec;
                if (slices[i].err.code < 0)
                        (void) snprintf(sum->fault, sizeof(sum->fault), "%s", slices[i].err.text);
        }
}

static void turn(Bench *bench, const Kind *kind, unsigned n, Slice *slices, Sum *sum) {
        const struct timespec calm = { .tv_nsec = CALM_MSEC * 1000000L };
        uint64_t asked = 0, ready = 0, asked_then = 0, ready_then = 0;
        Error err = ERROR_EMPTY;
        pid_t pids[CLIENTS_MAX];

        (void) fflush(stdout);
        (void) server_shells(&bench->with, &asked, &ready, &err);
        for (unsigned i = 0; i < n; i++) {
                slices[i].n = 0;
                slices[i].err = (Error) ERROR_EMPTY;
                pids[i] = fork();
                if (pids[i] == 0)
                        work(bench, kind, i, &slices[i]);
        }
        for (unsigned i = 0; i < n; i++)
                if (pids[i] > 0)
                        (void) waitpid(pids[i], NULL, 0);
        if (server_shells(&bench->with, &asked_then, &ready_then, &err) < 0)
                (void) fprintf(stderr, "bench: %s\n", err.text);
        sum->asked += asked_then - asked;
        sum->ready += ready_then - ready;
        add_up(sum, slices, n);
        (void) nanosleep(&calm, NULL); /* what they left behind is cleared away */
}

static void turns(Bench *bench, Slice *slices) {
        for (unsigned t = 0; t < TURNS; t++)
                for (const Kind *kind = kinds; kind->name; kind++)
                        for (unsigned c = 0; c < ELEMENTS(clients); c++)
                                if ((kind->tables & clients[c].tables) &&
                                    (!kind->program || peer_is_there(kind->program)))
                                        turn(bench, kind, clients[c].n, slices,
                                             &sums[kind - kinds][c]);
}

/* ---- the tables ------------------------------------------------------------------------------------ */

static void print_sum(const Kind *kind, unsigned c, KindTable table) {
        const Sum *sum = &sums[kind - kinds][c], *base = &sums[0][c];
        char median[16], least[16], late[16], shells[32] = "";
        uint64_t of = figures_at(base->times, base->n, 50);

        if (sum->n == 0) {
                printf("| %s | %u | left out: %s | | | | |%s\n", kind->name, clients[c].n,
                       sum->fault[0] ? sum->fault : "it is not installed",
                       table == KIND_JAILS ? " |" : "");
                return;
        }
        if (table == KIND_JAILS && sum->asked)
                (void) snprintf(shells, sizeof(shells), " %.0f %% |",
                                (double) sum->ready * 100 / (double) sum->asked);
        else if (table == KIND_JAILS)
                (void) snprintf(shells, sizeof(shells), " |");
        printf("| %s%s | %u | %.0f | %s | %s | %s | %.2f |%s\n", kind->name,
               sum->fault[0] ? " (some failed)" : "", clients[c].n, sum->per_second / sum->n_turns,
               figures_msec(figures_at(sum->times, sum->n, 50), median),
               figures_msec(sum->times[0], least),
               figures_msec(figures_at(sum->times, sum->n, 99), late),
               (double) figures_at(sum->times, sum->n, 50) / (double) (of ? of : 1), shells);
}

static void print_table(KindTable table) {
        bool jails = table == KIND_JAILS;

        printf("\n| %s, by clients that do nothing else | clients | a second | median ms | least "
               "ms | p99 ms | ratio of the medians |%s\n|---|---|---|---|---|---|---|%s\n",
               jails ? "jails" : "commands", jails ? " found a shell ready |" : "",
               jails ? "---|" : "");
        for (const Kind *kind = kinds; kind->name; kind++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++)
                        if (kind->tables & clients[c].tables & table)
                                print_sum(kind, c, table);
}

void load_run(Bench *bench) {
        Slice *slices = mmap(NULL, sizeof(Slice) * CLIENTS_MAX, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (slices == MAP_FAILED)
                return;
        for (const Kind *kind = kinds; kind->name; kind++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++)
                        if (!(sums[kind - kinds][c].times = calloc(KIND_SAMPLES, sizeof(uint64_t))))
                                return;
        turns(bench, slices);
        for (const Kind *kind = kinds; kind->name; kind++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++)
                        figures_sort(sums[kind - kinds][c].times, sums[kind - kinds][c].n);
        print_table(KIND_JAILS);
        print_table(KIND_COMMANDS);
        (void) fflush(stdout);
        for (const Kind *kind = kinds; kind->name; kind++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++)
                        free(sums[kind - kinds][c].times);
        (void) munmap(slices, sizeof(Slice) * CLIENTS_MAX);
}

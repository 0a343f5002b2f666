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
#include "tests/bench/jail-rows.h"
#include "tests/bench/peers.h"

#define CLIENTS_MAX  8
#define TURNS        3
#define TURN_NSEC    1500000000u
#define PER_CLIENT   4096u /* samples of one client in one turn */
#define KIND_SAMPLES (PER_CLIENT * CLIENTS_MAX * TURNS)
#define CALM_MSEC    300

typedef struct Worker {
        const Bench *bench;
        unsigned number;
        RpcPeer *peer; /* NULL: a peer's kind */
        char jail[32];
} Worker;

typedef struct Kind {
        const char *name;
        const char *program;                        /* must be installed; NULL: ours */
        int (*prepare)(Worker *worker, Error *err); /* NULL: nothing */
        int (*once)(const Worker *worker, Error *err);
} Kind;

typedef struct Slice { /* of one client, shared with it */
        unsigned n;
        Error err;
        uint64_t times[PER_CLIENT];
} Slice;

typedef struct Sum {
        double seconds;
        unsigned n;
        uint64_t *times; /* owned */
        char fault[ERROR_TEXT_MAX];
} Sum;

/* ---- kinds ---------------------------------------------------------------------------------------- */

static int connect_with(Worker *worker, Error *err) {
        return server_connect(&worker->bench->with, &worker->peer, err);
}

static int connect_live(Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = connect_with(worker, err);

        if (r >= 0)
                r = bench_call_on(worker->peer, "jail.create", "{}", NULL, 0, &result, err);
        if (r >= 0)
                (void) snprintf(worker->jail, sizeof(worker->jail), "%s",
                                json_text(result, "jail"));
        return r;
}

static int once_create(const Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = bench_call_on(worker->peer, "jail.create", "{\"exec\":{" EXEC_TRUE "}}", NULL, 0,
                              &result, err);

        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

static int once_exec(const Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[256];
        int r;

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"," EXEC_TRUE "}", worker->jail);
        r = bench_call_on(worker->peer, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

static int once_spawn(const Worker *worker, Error *err) {
        (void) worker;
        return peer_spawn(NULL, err);
}

static int once_bwrap(const Worker *worker, Error *err) {
        (void) worker;
        return bench_spawn(peer_bwrap_argv(), err);
}

static int own_mounts(Worker *worker, Error *err) {
        (void) worker;
        return peer_own_mounts(err);
}

static int once_crun(const Worker *worker, Error *err) {
        const char *argv[12];
        char id[48];

        (void) snprintf(id, sizeof(id), "bench-%d-%u", (int) getpid(), worker->number);
        peer_crun_argv(worker->bench, id, argv);
        return bench_spawn(argv, err);
}

static const Kind kinds[] = {
        { "posix_spawn of the same static binary", NULL, NULL, once_spawn },
        { "create + true + destroy", NULL, connect_with, once_create },
        { "bwrap, all namespaces", "bwrap", NULL, once_bwrap },
        { "crun run", "crun", own_mounts, once_crun },
        { "exec in a live jail, one for each client", NULL, connect_live, once_exec },
};

static const unsigned clients[] = { 1, 2, 8 };

/* ---- one turn ------------------------------------------------------------------------------------- */

_Noreturn static void work(const Bench *bench, const Kind *kind, unsigned number, Slice *slice) {
        Worker worker = { .bench = bench, .number = number };
        Error err = ERROR_EMPTY;
        int r = kind->prepare ? kind->prepare(&worker, &err) : 0;
        uint64_t start = bench_now(), end = start + TURN_NSEC, now = start;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (r >= 0 && now < end && slice->n < PER_CLIENT) {
                r = kind->once(&worker, &err);
                slice->times[slice->n] = bench_now() - now;
                now += slice->times[slice->n];
                slice->n += r >= 0;
        }
        slice->err = err;
        rpc_peer_free(worker.peer);
        _exit(0);
}

static void add_up(Sum *sum, const Slice *slices, unsigned n, uint64_t took) {
        sum->seconds += (double) took / 1e9;
        for (unsigned i = 0; i < n; i++) {
                memcpy(sum->times + sum->n, slices[i].times, slices[i].n * sizeof(uint64_t));
                sum->n += slices[i].n;
                if (slices[i].err.code < 0)
                        (void) snprintf(sum->fault, sizeof(sum->fault), "%s", slices[i].err.text);
        }
}

static void turn(const Bench *bench, const Kind *kind, unsigned n, Slice *slices, Sum *sum) {
        const struct timespec calm = { .tv_nsec = CALM_MSEC * 1000000L };
        uint64_t start = bench_now();
        pid_t pids[CLIENTS_MAX];

        (void) fflush(stdout);
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
        add_up(sum, slices, n, bench_now() - start);
        (void) nanosleep(&calm, NULL); /* what they left behind is cleared away */
}

static void print_sum(const Kind *kind, unsigned n, const Sum *sum) {
        if (sum->n == 0) {
                printf("| %-44s | %u | left out: %s |\n", kind->name, n,
                       sum->fault[0] ? sum->fault : "it is not installed");
                return;
        }
        bench_sort(sum->times, sum->n);
        printf("| %-44s | %u | %7.0f | %7.3f | %7.3f |%s\n", kind->name, n,
               (double) sum->n / sum->seconds, (double) sum->times[sum->n / 2] / 1e6,
               (double) sum->times[(uint64_t) sum->n * 99 / 100] / 1e6,
               sum->fault[0] ? " (some failed)" : "");
}

void load_run(Bench *bench) {
        static Sum sums[ELEMENTS(kinds)][ELEMENTS(clients)];
        Slice *slices = mmap(NULL, sizeof(Slice) * CLIENTS_MAX, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (slices == MAP_FAILED)
                return;
        for (unsigned k = 0; k < ELEMENTS(kinds); k++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++)
                        if (!(sums[k][c].times = calloc(KIND_SAMPLES, sizeof(uint64_t))))
                                return;
        for (unsigned t = 0; t < TURNS; t++)
                for (unsigned k = 0; k < ELEMENTS(kinds); k++)
                        for (unsigned c = 0; c < ELEMENTS(clients); c++)
                                if (!kinds[k].program || peer_is_there(kinds[k].program))
                                        turn(bench, &kinds[k], clients[c], slices, &sums[k][c]);
        printf("\n| work, by clients that do nothing else | clients | a second | median ms | p99 "
               "ms "
               "|\n|---|---|---|---|---|\n");
        for (unsigned k = 0; k < ELEMENTS(kinds); k++)
                for (unsigned c = 0; c < ELEMENTS(clients); c++) {
                        print_sum(&kinds[k], clients[c], &sums[k][c]);
                        free(sums[k][c].times);
                }
        (void) munmap(slices, sizeof(Slice) * CLIENTS_MAX);
}

/*
 * work: see work.h. The project is the base library of this very tree with its unit tests: each file compiled, each
 * test linked and run. A bwrap beside it has no filter, as it brings none; what a filter costs is in the loops.
 */
#include "tests/bench/work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/peers.h"

#define TIMES 5

typedef enum Where { OUTSIDE, JAIL, BWRAP, _WHERE_MAX } Where;

typedef struct Work {
        const char *name;
        const char *script;
} Work;

static const char setup[] =
        "cd \"$1\"; mkdir -p project/tests/unit; cp -r \"$2/base\" project/; cp \"$2\"/tests/tap.h "
        "project/tests/; for t in buf error escape ids units; do cp \"$2/tests/unit/test-$t.c\" "
        "project/tests/unit/; done; chmod -R a+rX project";

static const Work works[] = {
        { "build and tests of a C library (this tree's own)",
          "export TMPDIR=/tmp; d=$(mktemp -d); for f in buf error escape ids units fds; do "
          "cc -std=gnu11 -D_GNU_SOURCE -O1 -I. -c base/$f.c -o $d/$f.o; done; "
          "for t in buf error escape ids units; do cc -std=gnu11 -D_GNU_SOURCE -I. "
          "tests/unit/test-$t.c $d/*.o -o $d/test-$t; $d/test-$t; done; rm -r $d" },
        { "1,000,000 system calls (read, write of one byte)",
          "exec dd if=/dev/zero of=/dev/null bs=1 count=500000" },
        { "a walk through /usr", "exec find /usr -xdev -newer /usr -size +1" },
};

static int run_outside(const Bench *bench, const char *script, Error *err) {
        const char *argv[] = { "/bin/sh", "-euc", script, NULL };
        char dir[96];

        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        return bench_spawn_in(dir, argv, err);
}

static int run_jail(const Bench *bench, const char *script, Error *err) {
        char program[256], socket[256], dir[96];
        const char *argv[] = { program,   "--socket", socket, "run", "--",
                               "/bin/sh", "-euc",     script, NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        (void) snprintf(socket, sizeof(socket), "%s/warder.sock", bench->with.run);
        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        return bench_spawn_in(dir, argv, err);
}

static int run_bwrap(const Bench *bench, const char *script, Error *err) {
        const char *const *like = peer_bwrap_argv();
        const char *argv[40];
        char dir[96];
        unsigned n = 0;

        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        for (; strcmp(like[n], BUSYBOX) != 0; n++)
                argv[n] = like[n];
        memcpy(argv + n,
               ((const char *[]){ "--ro-bind", "/etc/alternatives", "/etc/alternatives", "--bind",
                                  dir, "/work", "--chdir", "/work", "/bin/sh", "-euc", script,
                                  NULL }),
               12 * sizeof(*argv));
        return bench_spawn(argv, err);
}

static int (*const runs[_WHERE_MAX])(const Bench *bench, const char *script, Error *err) = {
        [OUTSIDE] = run_outside,
        [JAIL] = run_jail,
        [BWRAP] = run_bwrap,
};

static void print_work(const Work *work, uint64_t times[_WHERE_MAX][TIMES], const unsigned *n) {
        double outside;

        for (unsigned w = 0; w < _WHERE_MAX; w++)
                bench_sort(times[w], n[w]);
        outside = n[OUTSIDE] ? (double) times[OUTSIDE][n[OUTSIDE] / 2] / 1e6 : 0;
        printf("| %-52s | %9.1f |", work->name, outside);
        for (unsigned w = JAIL; w < _WHERE_MAX; w++) {
                double inside = n[w] ? (double) times[w][n[w] / 2] / 1e6 : 0;

                if (inside > 0 && outside > 0)
                        printf(" %9.1f | %5.2f |", inside, inside / outside);
                else
                        printf(" left out | |");
        }
        putchar('\n');
        (void) fflush(stdout);
}

static void run_work(const Bench *bench, const Work *work) {
        uint64_t times[_WHERE_MAX][TIMES];
        unsigned n[_WHERE_MAX] = { 0 };
        Error err = ERROR_EMPTY;

        for (unsigned t = 0; t < TIMES; t++)
                for (unsigned i = 0; i < _WHERE_MAX; i++) {
                        unsigned w = (i + t) % _WHERE_MAX;
                        uint64_t start = bench_now();

                        if (w == BWRAP && !peer_is_there("bwrap"))
                                continue;
                        if (runs[w](bench, work->script, &err) >= 0)
                                times[w][n[w]++] = bench_now() - start;
                        else
                                (void) fprintf(stderr, "bench: %s: %s\n", work->name, err.text);
                }
        print_work(work, times, n);
}

void work_run(Bench *bench) {
        const char *argv[] = { "/bin/sh", "-euc", setup, "sh", bench->dir, bench->source, NULL };
        Error err = ERROR_EMPTY;

        printf("\n| work | outside, ms | in a jail, ms | ratio | bwrap, ms | ratio "
               "|\n|---|---|---|---|---|---|\n");
        if (bench_spawn(argv, &err) < 0) {
                printf("| left out: %s |\n", err.text);
                return;
        }
        for (unsigned i = 0; i < ELEMENTS(works); i++)
                run_work(bench, &works[i]);
}

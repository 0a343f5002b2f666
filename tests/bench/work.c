/*
 * work: see work.h. The project is the base library of this very tree with its unit tests: each file compiled, each
 * test linked and run. A bwrap beside it has the filters of a jail; one without shows what they cost.
 */
#include "tests/bench/work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/figures.h"
#include "tests/bench/filters.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

#define TIMES 5

typedef enum Where { OUTSIDE, JAIL, BWRAP_FILTER, BWRAP, _WHERE_MAX } Where;

typedef struct Work {
        const char *name;
        const char *script;
        uint64_t times[_WHERE_MAX][TIMES];
        unsigned n[_WHERE_MAX];
        char fault[_WHERE_MAX][ERROR_TEXT_MAX];
} Work;

static const char setup[] =
        "cd \"$1\"; mkdir -p project/tests/unit; cp -r \"$2/base\" project/; cp \"$2\"/tests/tap.h "
        "project/tests/; for t in buf error escape ids units; do cp \"$2/tests/unit/test-$t.c\" "
        "project/tests/unit/; done; chmod -R a+rX project";

static Work works[] = {
        { .name = "build and tests of a C library (this tree's own)",
          .script = "export TMPDIR=/tmp; d=$(mktemp -d); for f in buf error escape ids units fds; "
                    "do cc -std=gnu11 -D_GNU_SOURCE -O1 -I. -c base/$f.c -o $d/$f.o; done; "
                    "for t in buf error escape ids units; do cc -std=gnu11 -D_GNU_SOURCE -I. "
                    "tests/unit/test-$t.c $d/*.o -o $d/test-$t; $d/test-$t; done; rm -r $d" },
        { .name = "1,000,000 system calls (read and write of one byte)",
          .script = "exec dd if=/dev/zero of=/dev/null bs=1 count=500000" },
        { .name = "a walk through /usr/include and /usr/share",
          .script = "find /usr/include /usr/share -xdev -newer /usr -size +1 || :" },
};

static int run_outside(const Bench *bench, const char *script, Error *err) {
        const char *argv[] = { "/bin/sh", "-euc", script, NULL };
        char dir[96];

        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        return spawn_wait_in(dir, argv, err);
}

static int run_jail(const Bench *bench, const char *script, Error *err) {
        char program[256], socket[256], dir[96];
        const char *argv[] = { program,   "--socket", socket, "run", "--",
                               "/bin/sh", "-euc",     script, NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        (void) snprintf(socket, sizeof(socket), "%s/warder.sock", bench->with.run);
        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        return spawn_wait_in(dir, argv, err);
}

/* @filters: descriptors, or NULL */
static int bwrap_with(const Bench *bench, const char *script, const int *filters, Error *err) {
        const char *const *like = peer_bwrap_argv();
        const char *argv[48];
        char dir[96], numbers[FILTERS][16];
        unsigned n = 0;

        (void) snprintf(dir, sizeof(dir), "%s/project", bench->dir);
        for (; strcmp(like[n], BUSYBOX) != 0; n++)
                argv[n] = like[n];
        for (unsigned i = 0; filters && i < FILTERS; i++) {
                (void) snprintf(numbers[i], sizeof(numbers[i]), "%d", filters[i]);
                argv[n++] = "--add-seccomp-fd";
                argv[n++] = numbers[i];
        }
        memcpy(argv + n,
               ((const char *[]){ "--ro-bind", "/etc/alternatives", "/etc/alternatives", "--bind",
                                  dir, "/work", "--chdir", "/work", "/bin/sh", "-euc", script,
                                  NULL }),
               12 * sizeof(*argv));
        return spawn_wait(argv, err);
}

static int run_bwrap(const Bench *bench, const char *script, Error *err) {
        return bwrap_with(bench, script, NULL, err);
}

static int run_bwrap_filter(const Bench *bench, const char *script, Error *err) {
        int fds[FILTERS], r = filters_open(bench, fds, err);

        if (r < 0)
                return r;
        r = bwrap_with(bench, script, fds, err);
        for (unsigned i = 0; i < FILTERS; i++)
                (void) close(fds[i]);
        return r;
}

static const struct {
        const char *name;
        int (*run)(const Bench *bench, const char *script, Error *err);
        const char *program;
} places[_WHERE_MAX] = {
        [OUTSIDE] = { "outside", run_outside, NULL },
        [JAIL] = { "in a jail, made for it (`warder run`)", run_jail, NULL },
        [BWRAP_FILTER] = { "in bwrap, with the same filters", run_bwrap_filter, "bwrap" },
        [BWRAP] = { "in bwrap, without a filter", run_bwrap, "bwrap" },
};

static void run_once(const Bench *bench, Work *work, unsigned where) {
        uint64_t start = figures_now();
        Error err = ERROR_EMPTY;

        if (work->fault[where][0])
                return;
        if (places[where].program && !peer_is_there(places[where].program))
                (void) error_say(&err, -ENOENT, "%s is not installed", places[where].program);
        else if (places[where].run(bench, work->script, &err) >= 0)
                work->times[where][work->n[where]++] = figures_now() - start;
        (void) snprintf(work->fault[where], ERROR_TEXT_MAX, "%s", err.text);
}

static void print_work(Work *work) {
        char median[16], least[16];

        for (unsigned w = 0; w < _WHERE_MAX; w++)
                figures_sort(work->times[w], work->n[w]);
        for (unsigned w = 0; w < _WHERE_MAX; w++) {
                uint64_t outside = figures_at(work->times[OUTSIDE], work->n[OUTSIDE], 50);
                uint64_t inside = figures_at(work->times[w], work->n[w], 50);

                if (inside == 0 || outside == 0) {
                        printf("| %s | %s | left out: %s | | | |\n", w == OUTSIDE ? work->name : "",
                               places[w].name, work->fault[w]);
                        continue;
                }
                printf("| %s | %s | %s | %s | %.3f | %.3f |\n", w == OUTSIDE ? work->name : "",
                       places[w].name, figures_msec(inside, median),
                       figures_msec(work->times[w][0], least), (double) inside / (double) outside,
                       (double) work->times[w][0] / (double) work->times[OUTSIDE][0]);
        }
}

void work_run(Bench *bench) {
        const char *argv[] = { "/bin/sh", "-euc", setup, "sh", bench->dir, bench->source, NULL };
        Error err = ERROR_EMPTY;

        printf("\n| work | where | median ms | least ms | ratio of the medians | of the leasts "
               "|\n|---|---|---|---|---|---|\n");
        if (spawn_wait(argv, &err) < 0) {
                printf("| left out: %s | | | | | |\n", err.text);
                return;
        }
        for (unsigned t = 0; t < TIMES; t++)
                for (unsigned i = 0; i < ELEMENTS(works); i++)
                        for (unsigned w = 0; w < _WHERE_MAX; w++)
                                run_once(bench, &works[i], (w + t) % _WHERE_MAX);
        for (unsigned i = 0; i < ELEMENTS(works); i++)
                print_work(&works[i]);
        (void) fflush(stdout);
}

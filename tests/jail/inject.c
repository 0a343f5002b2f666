/*
 * inject: each system call of some work of the supervisor made to fail once, in turn, in the monitor and in every
 * process of the jails: shell, init, spawner, builder, parked child, command, and the jobs of the store.
 *
 *   inject                    all of them, while a command runs
 *   inject --front            those of the front instead
 *   inject --work WORK        while that is done instead: what inject-work knows
 *   inject --kill             the process killed when it has made the call, instead
 *   inject --every N          every N-th call
 *   inject --each N           of each process that makes a jail N calls, spread over it, of all others four times as many
 *   inject --skip N           all but the first N, where an earlier run stopped
 *   inject --only ROLE CALL   one
 *
 * One warderd under tracer.c serves all rounds. In a round a client does the work; then it has succeeded,
 * or has failed with a reason, nothing is left of its jails, what is in the store is whole, and the next round
 * runs as if nothing had been. A warderd that ends is started again and must find its way, and starts its front
 * again; that one ended is counted, and is right only where the failed call is its event loop's own, or killed it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/jail/inject-stand.h"
#include "tests/tap.h"

#define BAD_MAX      40
#define MORE_OF_WORK 4
#define FDS_MORE     24 /* id ranges that came into use, with their maps; not one a round */

typedef struct Bench {
        InjectStand stand;
        unsigned faults, survived, refused, missed, deaths, fronts, whole, bad;
        unsigned fds; /* of the monitor before the first fault */
        unsigned every, each, skip, layers, mounts;
        const char *only; /* a role, NULL: all */
        unsigned only_call;
} Bench;

/* ---- what must hold afterwards ----------------------------------------------------------------------- */

static void complain(Bench *bench, const char *role, unsigned n, const char *what,
                     const InjectOutcome *outcome) {
        bench->bad++;
        printf("# %s, call %u (number %ld, errno %d): %s; exit %d: %s\n", role, n,
               bench->stand.tracer.failed_call, bench->stand.tracer.failed_with, what,
               outcome->code, outcome->words);
}

/* @role: whose call it was; @ended: whose end it is. */
static bool may_end(const Bench *bench, const char *role, const char *ended) {
        long call = bench->stand.tracer.failed_call;

        return strcmp(role, ended) == 0 &&
               (bench->stand.tracer.kills || call == SYS_epoll_wait || call == SYS_epoll_ctl);
}

/* The monitor starts it again by itself. */
static void count_front(Bench *bench, const char *role, unsigned n, const InjectOutcome *outcome) {
        if (!bench->stand.tracer.front_ended)
                return;
        bench->stand.tracer.front_ended = false;
        bench->fronts++;
        if (may_end(bench, role, FRONT_ROLE))
                return;
        printf("# %s, call %u (number %ld) ended the front\n", role, n,
               bench->stand.tracer.failed_call);
        if (strcmp(role, FRONT_ROLE) == 0)
                complain(bench, role, n, "the front ended", outcome);
}

static void restart(Bench *bench, const char *role, unsigned n, InjectOutcome *outcome) {
        bench->deaths++;
        if (!may_end(bench, role, MONITOR_ROLE))
                complain(bench, role, n, "the monitor ended", outcome);
        if (!inject_stand_start(&bench->stand))
                complain(bench, role, n, "and did not start again", outcome);
}

static void judge_answer(Bench *bench, const char *role, unsigned n, const InjectOutcome *outcome) {
        bench->faults++;
        if (outcome->ended && outcome->code == 0)
                bench->survived++;
        else if (outcome->ended && outcome->words[0])
                bench->refused++;
        else
                complain(bench, role, n, outcome->ended ? "no word" : "the client hangs", outcome);
        if (outcome->ended && !outcome->quiet) {
                complain(bench, role, n, "processes are left", outcome);
                inject_stand_end_left(&bench->stand);
        }
}

/* What the fault left; before the next round, which would mend it. */
static void judge_rest(Bench *bench, const char *role, unsigned n) {
        static const struct {
                unsigned (*count)(const InjectPlace *place);
                const char *words;
        } kinds[] = { { inject_left_groups, "groups are left" },
                      { inject_left_loops, "loop devices are left" },
                      { inject_left_new, "unfinished layers are left" } };
        InjectOutcome outcome = inject_stand_check(&bench->stand);

        if (!outcome.ended || outcome.code != 0)
                complain(bench, role, n, "the store is not whole", &outcome);
        bench->whole += strcmp(outcome.words, "whole") == 0;
        for (unsigned i = 0; i < ELEMENTS(kinds); i++)
                if (!inject_stand_is_gone(&bench->stand, kinds[i].count, 0))
                        complain(bench, role, n, kinds[i].words, &outcome);
        if (!inject_stand_is_gone(&bench->stand, inject_left_mounts, bench->mounts))
                complain(bench, role, n, "mounts are left", &outcome);
}

/* One without a fault. */
static void judge_next(Bench *bench, const char *role, unsigned n) {
        InjectOutcome next = inject_stand_ready(&bench->stand);

        if (next.ended && next.code == 0)
                next = inject_stand_plain(&bench->stand);
        if (!next.ended || next.code != 0)
                complain(bench, role, n, "the next round fails", &next);
        next = inject_stand_check(&bench->stand);
        if (!next.ended || next.code != 0)
                complain(bench, role, n, "the store is not whole after it", &next);
        if (!inject_stand_is_gone(&bench->stand, inject_left_layers, bench->layers)) {
                complain(bench, role, n, "layers are left", &next);
                bench->layers = inject_left_layers(&bench->stand.place);
        }
        if (bench->stand.tracer.ended)
                restart(bench, role, n, &next);
}

static void try_fault(Bench *bench, const char *role, unsigned n) {
        InjectOutcome outcome = inject_stand_ready(&bench->stand);

        if (!outcome.ended || outcome.code != 0)
                complain(bench, role, n, "what the round begins with is not to be had", &outcome);
        outcome = inject_stand_round(&bench->stand, role, n);
        if (bench->stand.tracer.failed_call < 0) { /* this time there were fewer calls */
                bench->missed++;
                (void) inject_stand_check(&bench->stand);
                return;
        }
        judge_answer(bench, role, n, &outcome);
        if (bench->stand.tracer.ended)
                restart(bench, role, n, &outcome);
        judge_rest(bench, role, n);
        judge_next(bench, role, n);
        count_front(bench, role, n, &outcome);
}

/* Of a jail, and not what the jail is for */
static bool makes_a_jail(const char *role) {
        return strncmp(role, "jail", 4) == 0 && role[strspn(role, "jail0123456789.")] == 0;
}

/* @k: the number of that call among those of all roles */
static bool is_chosen(const Bench *bench, const Role *role, unsigned n, unsigned k) {
        unsigned each = makes_a_jail(role->name) ? bench->each : bench->each * MORE_OF_WORK;

        if (bench->only)
                return strcmp(bench->only, role->name) == 0 && n == bench->only_call;
        if (each > 0 && each < role->n_calls &&
            (n * each + role->n_calls / 2) % role->n_calls >= each)
                return false;
        return k >= bench->skip && k % bench->every == 0 && bench->bad < BAD_MAX &&
               bench->stand.tracer.with_front ==
                       (strncmp(role->name, FRONT_ROLE, strlen(FRONT_ROLE)) == 0);
}

static void try_all(Bench *bench) {
        Role roles[ROLES_MAX];
        unsigned n_roles = bench->stand.tracer.n_roles, k = 0;

        memcpy(roles, bench->stand.tracer.roles, sizeof(roles));
        for (unsigned i = 0; i < n_roles; i++) {
                unsigned before = bench->faults, missed = bench->missed;

                for (unsigned n = 0; n < roles[i].n_calls; n++)
                        if (is_chosen(bench, &roles[i], n, k++))
                                try_fault(bench, roles[i].name, n);
                printf("# %-14s %4u calls, %4u %s once, %u did not come\n", roles[i].name,
                       roles[i].n_calls, bench->faults - before,
                       bench->stand.tracer.kills ? "killed" : "failed", bench->missed - missed);
        }
}

/* ---- main -------------------------------------------------------------------------------------------- */

static bool take_number(Bench *bench, const char *name, const char *value) {
        struct {
                const char *name;
                unsigned *at;
        } options[] = { { "--every", &bench->every },
                        { "--each", &bench->each },
                        { "--skip", &bench->skip } };

        for (unsigned i = 0; value && i < ELEMENTS(options); i++)
                if (strcmp(name, options[i].name) == 0) {
                        *options[i].at = (unsigned) atoi(value);
                        return true;
                }
        return false;
}

static bool take_options(Bench *bench, char **argv) {
        bench->every = 1;
        bench->stand.client.work = "command";
        for (; *argv; argv++) {
                if (strcmp(*argv, "--front") == 0) {
                        bench->stand.tracer.with_front = true;
                } else if (strcmp(*argv, "--kill") == 0) {
                        bench->stand.tracer.kills = true;
                } else if (strcmp(*argv, "--work") == 0 && argv[1]) {
                        bench->stand.client.work = *++argv;
                } else if (strcmp(*argv, "--only") == 0 && argv[1] && argv[2]) {
                        bench->only = *++argv;
                        bench->only_call = (unsigned) atoi(*++argv);
                } else if (take_number(bench, *argv, argv[1])) {
                        argv++;
                } else {
                        fprintf(stderr, "inject: the head of inject.c has the options, not %s\n",
                                *argv);
                        return false;
                }
        }
        return bench->every > 0;
}

static void finish(Bench *bench) {
        char command[128];

        ok(inject_stand_stop(&bench->stand), "it ends in order");
        ok(inject_stand_is_gone(&bench->stand, inject_left_groups, 0), "and leaves no group");
        if (bench->bad > 0) {
                printf("# the words of warderd are in %s/log\n", bench->stand.place.dir);
                return;
        }
        (void) snprintf(command, sizeof(command), "rm -rf %s", bench->stand.place.dir);
        is_number(system(command), 0, "nor anything else");
}

/* Rounds without a fault, the last of which says what calls there are. */
static void count_calls(Bench *bench) {
        InjectOutcome outcome = { .code = -1 };

        for (unsigned i = 0; i < 3; i++) {
                (void) inject_stand_check(&bench->stand);
                outcome = inject_stand_ready(&bench->stand);
                if (outcome.ended && outcome.code == 0)
                        outcome = inject_stand_round(&bench->stand, NULL, 0);
        }
        is_number(outcome.code, 0, "the work is done while its calls are counted");
        if (outcome.code != 0)
                printf("# %s\n", outcome.words);
        ok(bench->stand.tracer.n_roles >= 2, "in the monitor and what it makes");
        (void) inject_stand_check(&bench->stand);
        bench->fds = inject_left_fds(bench->stand.tracer.first);
        (void) inject_stand_is_gone(&bench->stand, inject_left_groups, 0);
        bench->layers = inject_left_layers(&bench->stand.place);
        bench->mounts = inject_left_mounts(&bench->stand.place);
}

int main(int argc, char **argv) {
        static Bench bench;

#ifndef __x86_64__
        tap_skip_all("registers of this architecture");
        return tap_end();
#endif
        if (geteuid() != 0) {
                tap_skip_all("root");
                return tap_end();
        }
        (void) setvbuf(stdout, NULL, _IOLBF, 0);
        if (!take_options(&bench, argv + (argc > 0)))
                return 2;
        if (!inject_stand_prepare(&bench.stand) || !inject_stand_start(&bench.stand)) {
                printf("Bail out! warderd does not start under ptrace\n");
                return 1;
        }
        count_calls(&bench);
        try_all(&bench);
        printf("# %s: %u faults: %u survived, %u refused with a reason, %u ended the monitor, %u "
               "the front; after %u the work was done all the same\n",
               bench.stand.client.work, bench.faults, bench.survived, bench.refused, bench.deaths,
               bench.fronts, bench.whole);
        ok(bench.faults > 0, "calls failed");
        is_number(bench.bad, 0, "after each: an answer, nothing left, the next round runs");
        ok(bench.deaths > 0 || inject_left_fds(bench.stand.tracer.first) <= bench.fds + FDS_MORE,
           "the monitor lost no descriptor");
        finish(&bench);
        return tap_end();
}

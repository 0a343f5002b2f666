/*
 * inject: each system call of a create, an exec and a destroy made to fail once, in turn, in the monitor and
 * in every process of the jail: shell, init, spawner, builder, parked child, command.
 *
 *   inject                    all of them
 *   inject --front            those of the front instead
 *   inject --import           while a snapshot is imported and removed, instead of a command
 *   inject --kill             the process killed when it has made the call, instead; the store is looked at, too
 *   inject --every N          every N-th call
 *   inject --skip N           all but the first N, where an earlier run stopped
 *   inject --only ROLE CALL   one
 *
 * One warderd under tracer.c serves all rounds. In a round a client runs a command; then it has succeeded,
 * or has failed with a reason, nothing is left of the jail, and the next command runs as if nothing had been.
 * A warderd that ends is started again and must find its way, and starts its front again; that one ended is
 * counted, and is right only where the failed call is its event loop's own, or killed it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/jail/inject-client.h"
#include "tests/jail/tracer.h"
#include "tests/tap.h"

#define ROUND_SECONDS  20
#define GROUPS_SECONDS 20
#define BAD_MAX        40
#define FDS_MORE       24 /* id ranges that came into use, with their maps; not one a round */
#define POLL_NSEC      100000

typedef struct Bench {
        Tracer tracer;
        char dir[64], name[32], build[PATH_MAX], source[PATH_MAX];
        unsigned rounds, faults, survived, refused, deaths, fronts, whole, bad;
        unsigned fds; /* of the monitor before the first fault */
        unsigned every, skip, layers, mounts;
        InjectClient client;
        const char *only; /* a role, NULL: all */
        unsigned only_call;
} Bench;

static double now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void rest(void) {
        (void) nanosleep(&(struct timespec){ .tv_nsec = POLL_NSEC }, NULL);
}

/* ---- the supervisor ---------------------------------------------------------------------------------- */

static bool start(Bench *bench) {
        char run[96], state[96], policies[PATH_MAX + 32], data[PATH_MAX + 32],
                program[PATH_MAX + 32], ready[16], byte;
        char *argv[] = { program,
                         (char[]){ "--instance" },
                         bench->name,
                         (char[]){ "--run-dir" },
                         run,
                         (char[]){ "--state-dir" },
                         state,
                         (char[]){ "--libexec-dir" },
                         bench->build,
                         (char[]){ "--data-dir" },
                         data,
                         (char[]){ "--policies-dir" },
                         policies,
                         (char[]){ "--shells" },
                         (char[]){ "0" },
                         (char[]){ "--ready-fd" },
                         ready,
                         NULL };
        int ends[2], status;
        double end = now() + ROUND_SECONDS;
        bool is_ready;
        pid_t pid;

        (void) snprintf(run, sizeof(run), "%s/run", bench->dir);
        (void) snprintf(state, sizeof(state), "%s/state", bench->dir);
        (void) snprintf(policies, sizeof(policies), "%s/policies", bench->source);
        (void) snprintf(data, sizeof(data), "%s/agent", bench->source);
        (void) snprintf(program, sizeof(program), "%s/supervisor/monitor/warderd", bench->build);
        if (pipe(ends) < 0)
                return false;
        (void) snprintf(ready, sizeof(ready), "%d", ends[1]);
        (void) fcntl(ends[0], F_SETFL, O_NONBLOCK);
        if (tracer_start(&bench->tracer, argv) < 0)
                return false;
        (void) close(ends[1]);
        while (!(is_ready = read(ends[0], &byte, 1) == 1) && now() < end)
                if (!tracer_pump(&bench->tracer, &pid, &status))
                        rest();
        (void) close(ends[0]);
        return is_ready;
}

/* ---- one round --------------------------------------------------------------------------------------- */

typedef struct Outcome {
        bool ended;   /* the client; else it hangs */
        int code;     /* its exit code */
        bool monitor; /* is alive */
        char words[256];
} Outcome;

/* One that was told to die may not have come to it when its client has gone. */
static bool is_dying(const Tracer *tracer, const char *role) {
        return tracer->kills && role && strcmp(role, "m") == 0 && tracer->failed_call >= 0 &&
               !tracer->ended;
}

/* Until the client has ended and only the monitor is left of what is watched. */
static Outcome run_round(Bench *bench, const char *role, unsigned n) {
        Tracer *tracer = &bench->tracer;
        Outcome outcome = { .monitor = !tracer->ended };
        double end = now() + ROUND_SECONDS;
        int status;
        pid_t client, pid;

        bench->rounds++;
        tracer_arm(tracer, role, n);
        client = inject_client_start(&bench->client);
        while (now() < end && !(outcome.ended && tracer_alive(tracer) <= outcome.monitor &&
                                !is_dying(tracer, role))) {
                if (!tracer_pump(tracer, &pid, &status)) {
                        rest();
                        continue;
                }
                if (pid == client) {
                        outcome.ended = true;
                        outcome.code =
                                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
                outcome.monitor = !tracer->ended;
        }
        tracer_disarm(tracer);
        if (!outcome.ended)
                (void) kill(client, SIGKILL);
        inject_client_words(&bench->client, outcome.words, sizeof(outcome.words));
        return outcome;
}

static unsigned count(const char *command) {
        FILE *file = popen(command, "re");
        unsigned n = 0;

        if (!file || fscanf(file, "%u", &n) != 1)
                n = ~0u;
        if (file)
                (void) pclose(file);
        return n;
}

/* Groups of jails that are still there; the supervisor's own are as deep as they are without any. */
static unsigned count_groups(const Bench *bench) {
        char command[256];

        (void) snprintf(
                command, sizeof(command),
                "find /sys/fs/cgroup -path '*warder-%s/*' -type d -not -name '*.lock' | wc -l",
                bench->name);
        return count(command);
}

/* A group goes a moment after the last process in it. */
static bool groups_gone(Bench *bench) {
        double end = now() + GROUPS_SECONDS;
        bool gone;
        int status;
        pid_t pid;

        while (!(gone = count_groups(bench) == 0) && now() < end)
                while (tracer_pump(&bench->tracer, &pid, &status))
                        ;
        return gone;
}

static unsigned count_fds(const Bench *bench) {
        char command[64];

        (void) snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", bench->tracer.first);
        return count(command);
}

/* Those of the host that name what is ours. */
static unsigned count_mounts(const Bench *bench) {
        char command[192];

        (void) snprintf(command, sizeof(command), "grep -cE '%s|warder-%s' /proc/self/mountinfo",
                        bench->dir, bench->name);
        return count(command);
}

/* ---- what must hold afterwards ----------------------------------------------------------------------- */

static void complain(Bench *bench, const char *role, unsigned n, const char *what,
                     const Outcome *outcome) {
        bench->bad++;
        printf("# %s, call %u (number %ld, errno %d): %s; exit %d: %s\n", role, n,
               bench->tracer.failed_call, bench->tracer.failed_with, what, outcome->code,
               outcome->words);
}

/* What is still watched beside the monitor; ended, so that the next round starts from nothing. */
static void end_left(Bench *bench) {
        for (unsigned i = 0; i < TRACEES_MAX; i++) {
                const Tracee *tracee = &bench->tracer.tracees[i];
                char path[32], words[64] = "";
                FILE *file;

                if (tracee->pid == 0 || tracee->pid == bench->tracer.first ||
                    tracee->role[0] == FRONT_ROLE[0])
                        continue;
                (void) snprintf(path, sizeof(path), "/proc/%d/wchan", tracee->pid);
                file = fopen(path, "re");
                if (file && !fgets(words, sizeof(words), file))
                        words[0] = 0;
                if (file)
                        (void) fclose(file);
                printf("# left: %d as %s, %s, in %s\n", tracee->pid, tracee->role,
                       tracee->stopped ? "stopped by us" : "running", words);
                (void) kill(tracee->pid, SIGKILL);
        }
}

/* @role: whose call it was; @ended: whose end it is. */
static bool may_end(const Bench *bench, const char *role, const char *ended) {
        long call = bench->tracer.failed_call;

        return strcmp(role, ended) == 0 &&
               (bench->tracer.kills || call == SYS_epoll_wait || call == SYS_epoll_ctl);
}

/* The monitor starts it again by itself. */
static void count_front(Bench *bench, const char *role, unsigned n, const Outcome *outcome) {
        if (!bench->tracer.front_ended)
                return;
        bench->tracer.front_ended = false;
        bench->fronts++;
        if (may_end(bench, role, FRONT_ROLE))
                return;
        printf("# %s, call %u (number %ld) ended the front\n", role, n, bench->tracer.failed_call);
        if (strcmp(role, FRONT_ROLE) == 0)
                complain(bench, role, n, "the front ended", outcome);
}

/* What is taken apart in the background is watched too. */
static bool layers_gone(Bench *bench) {
        double end = now() + GROUPS_SECONDS;
        bool gone;
        int status;
        pid_t pid;

        while (!(gone = inject_client_left(&bench->client) <= bench->layers) && now() < end)
                while (tracer_pump(&bench->tracer, &pid, &status))
                        ;
        return gone;
}

static void restart(Bench *bench, const char *role, unsigned n, Outcome *outcome) {
        bench->deaths++;
        if (!may_end(bench, role, "m"))
                complain(bench, role, n, "the monitor ended", outcome);
        if (!start(bench))
                complain(bench, role, n, "and did not start again", outcome);
}

/* What the kill left; before the next import, which would mend it. */
static void check_store(Bench *bench, const char *role, unsigned n) {
        long call = bench->tracer.failed_call;
        Outcome outcome;

        bench->client.is_check = true;
        outcome = run_round(bench, NULL, 0);
        bench->client.is_check = false;
        bench->tracer.failed_call = call;
        if (!outcome.ended || outcome.code != 0)
                complain(bench, role, n, "the store is not whole", &outcome);
        bench->whole += strcmp(outcome.words, "whole") == 0;
        if (count_mounts(bench) > bench->mounts)
                complain(bench, role, n, "mounts are left", &outcome);
}

static void try_fault(Bench *bench, const char *role, unsigned n) {
        Outcome outcome = run_round(bench, role, n), next;
        long call;
        int code;

        if (bench->tracer.failed_call < 0)
                return; /* this time there were fewer calls */
        bench->faults++;
        if (outcome.ended && outcome.code == 0)
                bench->survived++;
        else if (outcome.ended && outcome.words[0])
                bench->refused++;
        else
                complain(bench, role, n, outcome.ended ? "no word" : "the client hangs", &outcome);
        if (outcome.monitor && tracer_alive(&bench->tracer) > 1) {
                complain(bench, role, n, "processes are left", &outcome);
                end_left(bench);
        }
        if (outcome.monitor && !bench->tracer.ended && !groups_gone(bench) &&
            !bench->tracer.ended) /* by then: the next start removes them */
                complain(bench, role, n, "groups are left", &outcome);
        if (bench->tracer.ended)
                restart(bench, role, n, &outcome);
        if (!groups_gone(bench))
                complain(bench, role, n, "groups are left after the next start", &outcome);
        if (bench->tracer.kills)
                check_store(bench, role, n);
        call = bench->tracer.failed_call;
        code = bench->tracer.failed_with;
        next = run_round(bench, NULL, 0);
        bench->tracer.failed_call = call;
        bench->tracer.failed_with = code;
        count_front(bench, role, n, &outcome);
        if (!next.ended || next.code != 0)
                complain(bench, role, n, "the next command does not run", &next);
        else if (!layers_gone(bench)) {
                complain(bench, role, n, "layers are left", &outcome);
                bench->layers = inject_client_left(&bench->client);
        }
        if (bench->tracer.ended)
                restart(bench, role, n, &next);
}

static bool is_chosen(const Bench *bench, const char *role, unsigned n, unsigned k) {
        if (bench->only)
                return strcmp(bench->only, role) == 0 && n == bench->only_call;
        return k >= bench->skip && k % bench->every == 0 && bench->bad < BAD_MAX &&
               bench->tracer.with_front == (role[0] == FRONT_ROLE[0]);
}

static void try_all(Bench *bench) {
        Role roles[ROLES_MAX];
        unsigned n_roles = bench->tracer.n_roles, k = 0;

        memcpy(roles, bench->tracer.roles, sizeof(roles));
        for (unsigned i = 0; i < n_roles; i++) {
                unsigned before = bench->faults;

                for (unsigned n = 0; n < roles[i].n_calls; n++)
                        if (is_chosen(bench, roles[i].name, n, k++))
                                try_fault(bench, roles[i].name, n);
                printf("# %-10s %4u calls, %4u %s once\n", roles[i].name, roles[i].n_calls,
                       bench->faults - before, bench->tracer.kills ? "killed" : "failed");
        }
}

/* ---- main -------------------------------------------------------------------------------------------- */

static void take_options(Bench *bench, char **argv) {
        bench->every = 1;
        for (; *argv; argv++) {
                if (strcmp(*argv, "--front") == 0)
                        bench->tracer.with_front = true;
                else if (strcmp(*argv, "--import") == 0)
                        bench->client.is_import = true;
                else if (strcmp(*argv, "--kill") == 0)
                        bench->tracer.kills = true;
                else if (strcmp(*argv, "--every") == 0 && argv[1])
                        bench->every = (unsigned) atoi(*++argv);
                else if (strcmp(*argv, "--skip") == 0 && argv[1])
                        bench->skip = (unsigned) atoi(*++argv);
                else if (strcmp(*argv, "--only") == 0 && argv[1] && argv[2]) {
                        bench->only = *++argv;
                        bench->only_call = (unsigned) atoi(*++argv);
                }
        }
        if (bench->every == 0)
                bench->every = 1;
}

static void prepare(Bench *bench) {
        const char *build = getenv("top_builddir"), *source = getenv("top_srcdir");
        char sweep[PATH_MAX + 32];
        char path[96];

        int log;

        if (!realpath(build ? build : ".", bench->build) ||
            !realpath(source ? source : ".", bench->source))
                exit(1);
        (void) snprintf(bench->dir, sizeof(bench->dir), "/tmp/warder-inject-XXXXXX");
        if (!mkdtemp(bench->dir) || chmod(bench->dir, 0755) < 0)
                exit(1);
        bench->client.dir = bench->dir;
        bench->client.build = bench->build;
        if (!inject_client_prepare(&bench->client))
                exit(1);
        (void) snprintf(path, sizeof(path), "%s/log", bench->dir);
        log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0 || dup2(log, 2) < 0)
                exit(1);
        (void) snprintf(sweep, sizeof(sweep), "sh '%s/tests/sweep' inject-", bench->source);
        (void) (system(sweep) == 0);
        (void) snprintf(bench->name, sizeof(bench->name), "inject-%d", getpid());
}

static void finish(Bench *bench) {
        char command[128];
        double end = now() + ROUND_SECONDS;
        int status;
        pid_t pid;

        (void) kill(bench->tracer.first, SIGTERM);
        while (tracer_alive(&bench->tracer) > 0 && now() < end)
                if (!tracer_pump(&bench->tracer, &pid, &status))
                        rest();
        is_number(tracer_alive(&bench->tracer), 0, "it ends in order");
        ok(groups_gone(bench), "and leaves no group");
        if (bench->bad > 0) {
                printf("# the words of warderd are in %s/log\n", bench->dir);
                return;
        }
        (void) snprintf(command, sizeof(command), "rm -rf %s", bench->dir);
        is_number(system(command), 0, "nor anything else");
}

int main(int argc, char **argv) {
        static Bench bench;
        Outcome outcome;

#ifndef __x86_64__
        tap_skip_all("registers of this architecture");
        return tap_end();
#endif
        if (geteuid() != 0) {
                tap_skip_all("root");
                return tap_end();
        }
        (void) setvbuf(stdout, NULL, _IOLBF, 0);
        take_options(&bench, argv + (argc > 0));
        prepare(&bench);
        if (!start(&bench)) {
                printf("Bail out! warderd does not start under ptrace\n");
                return 1;
        }
        for (unsigned i = 0; i < 3; i++)
                outcome = run_round(&bench, NULL, 0);
        is_number(outcome.code, 0, "a command runs while its calls are counted");
        ok(bench.tracer.n_roles >= 5, "in the monitor and all processes of the jail");
        bench.fds = count_fds(&bench);
        bench.layers = inject_client_left(&bench.client);
        bench.mounts = count_mounts(&bench);
        try_all(&bench);
        printf("# %u faults: %u survived, %u refused with a reason, %u ended the monitor, %u the "
               "front\n",
               bench.faults, bench.survived, bench.refused, bench.deaths, bench.fronts);
        if (bench.tracer.kills)
                printf("# %u left a whole snapshot, the others none\n", bench.whole);
        ok(bench.faults > 10 || bench.only, "calls failed");
        is_number(bench.bad, 0, "after each: an answer, nothing left, the next command runs");
        ok(bench.deaths > 0 || count_fds(&bench) <= bench.fds + FDS_MORE,
           "the monitor lost no descriptor");
        finish(&bench);
        return tap_end();
}

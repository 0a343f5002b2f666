/*
 * inject-stand: see inject-stand.h.
 */
#include "tests/jail/inject-stand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/jail/roles.h"

#define ROUND_SECONDS 20
#define LEFT_SECONDS  20
#define POLL_NSEC     10000000
#define QUIET_SECONDS 0.03

static double now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void on_child(int sig) {
        (void) sig;
}

/* Until something happens to a child: SIGCHLD is blocked but here. */
static void rest(void) {
        sigset_t none;

        (void) sigemptyset(&none);
        (void) ppoll(NULL, 0, &(struct timespec){ .tv_nsec = POLL_NSEC }, &none);
}

/* ---- the supervisor ---------------------------------------------------------------------------------- */

bool inject_stand_start(InjectStand *stand) {
        char run[96], state[96], policies[PATH_MAX + 32], data[PATH_MAX + 32],
                program[PATH_MAX + 32], ready[16], byte;
        char *argv[] = { program,
                         (char[]){ "--instance" },
                         stand->place.name,
                         (char[]){ "--run-dir" },
                         run,
                         (char[]){ "--state-dir" },
                         state,
                         (char[]){ "--libexec-dir" },
                         stand->build,
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

        (void) snprintf(run, sizeof(run), "%s/run", stand->place.dir);
        (void) snprintf(state, sizeof(state), "%s/state", stand->place.dir);
        (void) snprintf(policies, sizeof(policies), "%s/policies", stand->source);
        (void) snprintf(data, sizeof(data), "%s/agent", stand->source);
        (void) snprintf(program, sizeof(program), "%s/supervisor/monitor/warderd", stand->build);
        if (pipe(ends) < 0)
                return false;
        (void) snprintf(ready, sizeof(ready), "%d", ends[1]);
        (void) fcntl(ends[0], F_SETFL, O_NONBLOCK);
        if (tracer_start(&stand->tracer, argv) < 0)
                return false;
        (void) close(ends[1]);
        while (!(is_ready = read(ends[0], &byte, 1) == 1) && now() < end)
                if (!tracer_pump(&stand->tracer, &pid, &status))
                        rest();
        (void) close(ends[0]);
        return is_ready;
}

/* ---- steps --------------------------------------------------------------------------------------- */

typedef enum Step { STEP_READY, STEP_ROUND, STEP_CHECK } Step;

static const char *const step_names[] = { "ready", "round", "check" };

/* Beside the monitor; in a round the jail that it is about goes on. */
static unsigned count_left(const InjectStand *stand, Step step) {
        return tracer_alive(&stand->tracer, step != STEP_ROUND) - !stand->tracer.ended;
}

/* Until the client has ended, and all that was watched meanwhile. */
static InjectOutcome run_step(InjectStand *stand, Step step) {
        Tracer *tracer = &stand->tracer;
        InjectOutcome outcome = { .monitor = !tracer->ended };
        double end = now() + ROUND_SECONDS;
        int status;
        pid_t client = inject_client_start(&stand->client, step_names[step]), pid;

        while (now() < end &&
               !(outcome.quiet = outcome.ended && !tracer_is_dying(tracer) &&
                                 (step == STEP_READY || count_left(stand, step) == 0))) {
                if (!tracer_pump(tracer, &pid, &status)) {
                        rest();
                        continue;
                }
                if (pid == client) {
                        tracer_end_dying(tracer);
                        outcome.ended = true;
                        outcome.code =
                                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
                outcome.monitor = !tracer->ended;
        }
        if (!outcome.ended)
                (void) kill(client, SIGKILL);
        inject_client_words(&stand->client, outcome.words, sizeof(outcome.words));
        return outcome;
}

/* Until nothing more is going on. */
static void settle(InjectStand *stand) {
        double quiet = now() + QUIET_SECONDS;
        int status;
        pid_t pid;

        while (now() < quiet)
                if (tracer_pump(&stand->tracer, &pid, &status))
                        quiet = now() + QUIET_SECONDS;
                else
                        rest();
}

/* Whose call came as late as that */
static void end_dying(InjectStand *stand) {
        int status;
        pid_t pid;

        tracer_end_dying(&stand->tracer);
        while (tracer_is_dying(&stand->tracer))
                if (!tracer_pump(&stand->tracer, &pid, &status))
                        rest();
}

InjectOutcome inject_stand_ready(InjectStand *stand) {
        InjectOutcome outcome = run_step(stand, STEP_READY);

        settle(stand);
        roles_begin(&stand->tracer);
        return outcome;
}

InjectOutcome inject_stand_round(InjectStand *stand, const char *role, unsigned n) {
        InjectOutcome outcome;

        tracer_arm(&stand->tracer, role, n);
        outcome = run_step(stand, STEP_ROUND);
        if (stand->tracer.armed) {
                settle(stand); /* what was asked for when the client had its answer */
                end_dying(stand);
        }
        tracer_disarm(&stand->tracer);
        return outcome;
}

InjectOutcome inject_stand_plain(InjectStand *stand) {
        return run_step(stand, STEP_ROUND);
}

InjectOutcome inject_stand_check(InjectStand *stand) {
        return run_step(stand, STEP_CHECK);
}

bool inject_stand_is_gone(InjectStand *stand, unsigned (*count)(const InjectPlace *place),
                          unsigned most) {
        double end = now() + LEFT_SECONDS;
        bool gone;
        int status;
        pid_t pid;

        /* what is taken apart in the background is watched too */
        while (!(gone = count(&stand->place) <= most) && now() < end)
                while (tracer_pump(&stand->tracer, &pid, &status))
                        ;
        return gone;
}

void inject_stand_end_left(InjectStand *stand) {
        for (unsigned i = 0; i < TRACEES_MAX; i++) {
                const Tracee *tracee = &stand->tracer.tracees[i];
                char path[32], words[64] = "";
                FILE *file;

                if (tracee->pid == 0 || tracee->pid == stand->tracer.first ||
                    roles_is_of_front(tracee) || roles_is_old(tracee))
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

static void watch_children(void) {
        sigset_t child;

        (void) sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = on_child }, NULL);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        (void) sigprocmask(SIG_BLOCK, &child, NULL);
}

bool inject_stand_prepare(InjectStand *stand) {
        const char *build = getenv("top_builddir"), *source = getenv("top_srcdir"),
                   *temporary = getenv("TMPDIR");
        char sweep[PATH_MAX + 32], path[96];
        int log;

        if (!realpath(build ? build : ".", stand->build) ||
            !realpath(source ? source : ".", stand->source))
                return false;
        (void) snprintf(stand->place.dir, sizeof(stand->place.dir), "%.40s/warder-inject-XXXXXX",
                        temporary ? temporary : "/tmp");
        if (!mkdtemp(stand->place.dir) || chmod(stand->place.dir, 0755) < 0)
                return false;
        stand->client.dir = stand->place.dir;
        stand->client.build = stand->build;
        stand->client.source = stand->source;
        if (!inject_client_prepare(&stand->client))
                return false;
        (void) snprintf(path, sizeof(path), "%s/log", stand->place.dir);
        log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0 || dup2(log, 2) < 0)
                return false;
        (void) snprintf(sweep, sizeof(sweep), "sh '%s/tests/sweep' inject-", stand->source);
        (void) (system(sweep) == 0);
        (void) snprintf(stand->place.name, sizeof(stand->place.name), "inject-%d", getpid());
        watch_children();
        return true;
}

bool inject_stand_stop(InjectStand *stand) {
        double end = now() + ROUND_SECONDS;
        int status;
        pid_t pid;

        (void) kill(stand->tracer.first, SIGTERM);
        while (tracer_alive(&stand->tracer, true) > 0 && now() < end)
                if (!tracer_pump(&stand->tracer, &pid, &status))
                        rest();
        return tracer_alive(&stand->tracer, true) == 0;
}

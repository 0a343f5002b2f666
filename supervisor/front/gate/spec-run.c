/*
 * spec-run: see spec-run.h.
 *
 * The jail is known by its name, not by pointer: it may end by itself (its wall time, a dead init)
 * between two commands. Callbacks of jails and commands come even after a cancel; then they only free.
 */
#include "supervisor/front/gate/spec-run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fds.h"
#include "base/ids.h"
#include "supervisor/front/commands/samples.h"
#include "supervisor/front/jails/jail-image.h"

#define TICK_USEC 1000 /* between two looks at a clock that moves every 1 to 10 ms */

struct SpecRun {
        Front *front; /* borrowed */
        char jail[ID_MAX];
        FrontJail *making; /* borrowed; while the jail is being made */
        uint64_t handle;
        uint64_t upper; /* to drop with the jail */
        bool keep_upper;
        bool wait_gone;    /* the end is told when the jail is gone */
        GateMeter *meter;  /* borrowed; NULL: nobody counts */
        uint64_t cpu_usec; /* of the jail, as last read */
        uint32_t owner_uid;
        const VerifyCommand *commands; /* borrowed */
        unsigned n;
        unsigned at;
        bool running;    /* a command is under way: its callback will come */
        bool ending;     /* the jail's end is waited for: likewise */
        ResultsJob *job; /* owned */
        ResultsJob *
                ahead; /* owned: it waits for the output of the command that runs, or of the first */
        Samples *samples;      /* owned: of the command that runs */
        uint64_t since_nsec;   /* wall clock: when the present command began; 0: it is the first */
        sd_event_source *tick; /* owned: the wait for it */
        bool cancelled;
        RunResult *result; /* owned */
        SpecRunEventFn event;
        SpecRunDoneFn done;
        void *userdata;
};

static void next(SpecRun *run);

static SpecRun *spec_run_free(SpecRun *run) {
        if (!run)
                return NULL;
        run_result_free(run->result);
        results_cancel(run->ahead);
        samples_free(run->samples);
        sd_event_source_disable_unref(run->tick);
        free(run);
        return NULL;
}
DEFINE_SCOPED(SpecRun *, spec_run_free);

/* ---- the end ------------------------------------------------------------------------------------- */

static void on_gone(void *userdata) {
        SCOPED(spec_run_free) SpecRun *run = userdata;
        SpecRunEnd end = { .upper = run->keep_upper ? run->handle : 0 };

        end.result = TAKE_PTR(run->result);
        if (!run->cancelled) {
                run->done(&end, run->userdata);
                return;
        }
        run_result_free(end.result);
        gate_upper_drop(run->front, end.upper);
}

static void finish(SpecRun *run, const Error *err) {
        SCOPED(spec_run_free) SpecRun *owned = run;
        FrontJail *jail = run->jail[0] ? front_jail_find(run->front, run->jail, 0) : NULL;
        SpecRunEnd end = { .err = err };

        run->ahead = results_cancel(run->ahead);
        if (!err && run->wait_gone && jail) {
                (void) TAKE_PTR(owned);
                run->ending = true;
                front_jail_end(jail, on_gone,
                               run); /* nothing writes to, or stands on, an upper any more */
                return;
        }
        if (err || !run->keep_upper)
                gate_jail_end_dropping(run->front, run->jail,
                                       run->keep_upper ? run->handle : run->upper);
        if (!err) {
                end.result = TAKE_PTR(run->result);
                end.upper = run->handle;
        }
        run->done(&end, run->userdata);
}

static void fail(SpecRun *run, int code, const char *what) {
        Error err = ERROR_EMPTY;

        error_set(&err, code, "%s", what);
        finish(run, &err);
}

/* ---- results ------------------------------------------------------------------------------------- */

static RunCommand *present(SpecRun *run) {
        return &run->result->commands[run->result->n - 1];
}

static void command_over(SpecRun *run) {
        const RunCommand *command = present(run);
        bool limit = command->cause != CAUSE_EXITED && command->cause != CAUSE_SIGNALED;

        if (run->event)
                run->event(command->id, command, run->userdata);
        run->at++;
        run->ahead = results_cancel(run->ahead); /* of this command, and no other */
        if (limit || (command->parse == PARSE_EXIT && !run_command_is_good(command)))
                finish(run, NULL);
        else
                next(run);
}

static void on_record(const Record *record, void *userdata) {
        SpecRun *run = userdata;

        (void) run_command_record(present(run), record);
}

static void on_results(const FilesJobEnd *end, void *userdata) {
        SpecRun *run = userdata;
        Error err;

        run->job = NULL;
        if (!end->err) {
                command_over(run);
                return;
        }
        err = *end->err;
        error_add(&err, err.code, "read the results of \"%s\"", present(run)->id);
        finish(run, &err);
}

static ResultsSpec results_of(const SpecRun *run) {
        FrontJail *jail = front_jail_find(run->front, run->jail, 0);

        return (ResultsSpec){ .row = &run->commands[run->at],
                              .jail = jail ? front_jail_handle(jail) : 0,
                              .since_nsec = run->since_nsec,
                              .owner_uid = run->owner_uid };
}

static int read_results(SpecRun *run, int output_fd, Error *err) {
        const ResultsReader reader = { on_record, on_results, run };
        const ResultsSpec spec = results_of(run);

        return results_read(run->front, TAKE_PTR(run->ahead), &spec, output_fd, &reader, &run->job,
                            err);
}

/* ---- commands ------------------------------------------------------------------------------------ */

/* The jail's own counter has what left the command's process tree too. @otherwise: where it cannot be read */
static void count_cpu(SpecRun *run, uint64_t otherwise) {
        FrontJail *jail = run->jail[0] ? front_jail_find(run->front, run->jail, 0) : NULL;
        uint64_t usec = run->cpu_usec;

        if (!run->meter)
                return;
        if (!jail || front_jail_cpu_usec(jail, &usec) < 0 || usec < run->cpu_usec)
                usec = run->cpu_usec + otherwise;
        run->meter->cpu_usec += usec - run->cpu_usec;
        run->cpu_usec = usec;
}

static void count(SpecRun *run, const CommandEnd *end) {
        count_cpu(run, end->user_usec + end->sys_usec);
        if (run->meter)
                run->meter->output_bytes += end->seen[0] + end->seen[1];
}

static void on_done(Command *command, const CommandEnd *end, void *userdata) {
        SpecRun *run = userdata;
        Error err = ERROR_EMPTY;

        (void) command;
        run->running = false;
        if (run->cancelled) {
                spec_run_free(run);
                return;
        }
        count(run, end);
        run_command_end(present(run), end);
        present(run)->samples = samples_take(TAKE_PTR(run->samples));
        if (present(run)->parse == PARSE_EXIT || end->output[0] < 0 ||
            end->cause == CAUSE_NOT_STARTED)
                command_over(run);
        else if (read_results(run, end->output[0], &err) < 0)
                finish(run, &err);
}

static int start_command(SpecRun *run, const VerifyCommand *row, Error *err) {
        FrontJail *jail = front_jail_find(run->front, run->jail, 0);
        CommandSpec spec;
        Command *command;
        char **env = NULL;
        int r;

        if (!jail)
                return error_say(err, -ESRCH, "the jail ended before \"%s\" could start", row->id);
        spec = verify_command_spec(row, front_jail_limits(jail));
        if (row->env && !(env = environment_new(front_jail_image(jail), row->env)))
                return error_set(err, -ENOMEM, "make the environment of \"%s\"", row->id);
        spec.env = (const char *const *) env;
        r = command_start(jail, &spec, on_done, run, &command, err);
        environment_free(env);
        run->running = r == 0;
        if (r == 0) /* a report without curves is one, too */
                (void) samples_start(run->front, run->jail, &run->samples, NULL);
        return r;
}

static void begin(SpecRun *run) {
        const VerifyCommand *row = &run->commands[run->at];
        const ResultsSpec results = results_of(run);
        Error err = ERROR_EMPTY;

        if (run->event)
                run->event(row->id, NULL, run->userdata);
        if (!run_result_add(run->result, row))
                fail(run, -ENOBUFS, "keep account of the commands");
        else if (start_command(run, row, &err) < 0)
                finish(run, &err);
        else if (!run->ahead)
                run->ahead = results_ahead(run->front, &results);
}

/*
 * Files have their times of a clock that moves in ticks, CLOCK_REALTIME_COARSE, or since Linux 6.13 of one that
 * is between that and CLOCK_REALTIME (multigrain timestamps). So what was written before a moment of the finer
 * one is not younger than it, and what is written when the coarser one has passed it is not older: a
 * command whose reports are to be told from an earlier one's begins then.
 */
static uint64_t clock_nsec(clockid_t clock) {
        struct timespec now;

        (void) clock_gettime(clock, &now);
        return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        SpecRun *run = userdata;

        (void) usec;
        if (clock_nsec(CLOCK_REALTIME_COARSE) < run->since_nsec) {
                (void) sd_event_source_set_time_relative(source, TICK_USEC);
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
                return 0;
        }
        run->tick = sd_event_source_disable_unref(run->tick);
        begin(run);
        return 0;
}

static void next(SpecRun *run) {
        int r;

        if (run->at == run->n) {
                finish(run, NULL);
                return;
        }
        if (run->at == 0 || run->commands[run->at].n_reports == 0) {
                begin(run);
                return;
        }
        run->since_nsec = clock_nsec(CLOCK_REALTIME) + 1;
        r = sd_event_add_time_relative(run->front->event, &run->tick, CLOCK_MONOTONIC, TICK_USEC,
                                       TICK_USEC / 4, on_tick, run);
        if (r < 0)
                fail(run, r, "wait for the clock of files");
}

/* ---- the beginning ------------------------------------------------------------------------------- */

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        SpecRun *run = userdata;

        run->making = NULL;
        if (run->cancelled) {
                if (!err)
                        front_jail_end(jail, NULL, NULL);
                gate_upper_drop(run->front, run->upper);
                spec_run_free(run);
                return;
        }
        if (err) {
                finish(run, err);
                return;
        }
        (void) snprintf(run->jail, sizeof(run->jail), "%s", front_jail_id(jail));
        run->handle = run->keep_upper ? front_jail_handle(jail) : 0;
        next(run);
}

int spec_run_start(Front *front, const SpecRunSpec *spec, SpecRun **ret, Error *err) {
        SCOPED(spec_run_free) SpecRun *run = calloc(1, sizeof(*run));
        int r;

        if (!run) {
                results_cancel(spec->ahead);
                return error_set(err, -ENOMEM, "run the commands of a verify");
        }
        *run = (SpecRun){ .front = front,
                          .keep_upper = spec->root.keep_upper,
                          .wait_gone = spec->root.keep_upper || spec->upper_stays,
                          .upper = spec->upper_stays ? 0 : spec->root.upper,
                          .meter = spec->root.meter,
                          .owner_uid = spec->root.owner_uid,
                          .commands = spec->commands,
                          .n = spec->n,
                          .event = spec->event,
                          .done = spec->done,
                          .userdata = spec->userdata,
                          .ahead = spec->ahead,
                          .result = run_result_new() };
        if (!run->result)
                return error_set(err, -ENOMEM, "run the commands of a verify");
        r = gate_jail_new(front, &spec->root, on_ready, run, &run->making, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(run);
        return 0;
}

SpecRun *spec_run_cancel(SpecRun *run) {
        if (!run)
                return NULL;
        run->cancelled = true;
        if (run->making) {
                front_jail_end(run->making, NULL, NULL); /* on_ready() frees */
                return NULL;
        }
        if (run->ending) /* on_gone() frees */
                return NULL;
        run->job = results_cancel(run->job);
        run->ahead = results_cancel(run->ahead);
        count_cpu(run, 0); /* what nobody waits for was used all the same */
        gate_jail_end_dropping(run->front, run->jail, run->keep_upper ? run->handle : run->upper);
        if (!run->running) /* else on_done() frees */
                spec_run_free(run);
        return NULL;
}

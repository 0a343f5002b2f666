/*
 * spec-run: see spec-run.h.
 *
 * The jail is known by its name, not by pointer: it may end by itself (its wall time, a dead init)
 * between two commands. Callbacks of jails and commands come even after a cancel; then they only free.
 */
#include "supervisor/front/spec-run.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/ids.h"

struct SpecRun {
        Front *front; /* borrowed */
        char jail[ID_MAX];
        FrontJail *making; /* borrowed; while the jail is being made */
        uint64_t handle;
        uint64_t upper; /* to drop with the jail */
        bool keep_upper;
        bool wait_gone; /* the end is told when the jail is gone */
        uint32_t owner_uid;
        const VerifyCommand *commands; /* borrowed */
        unsigned n;
        unsigned at;
        uint64_t wall_usec; /* no command gets more: the jail's */
        bool running;       /* a command is under way: its callback will come */
        bool ending;        /* the jail's end is waited for: likewise */
        FilesJob *job;      /* owned */
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

/* Reports lie in the upper of the jail: nothing of the command is left that could still write to them */
static int add_reports(SpecRun *run, const VerifyCommand *row, const char **argv, Plan *plan,
                       Error *err) {
        FrontJail *jail = front_jail_find(run->front, run->jail, 0);
        GateView upper = { .target = VIEW_UPPER, .upper = jail ? front_jail_handle(jail) : 0 };

        if (!jail)
                return error_say(err, -ESRCH, "the jail ended before its reports were read");
        for (unsigned i = 0; i < row->n_reports; i++) {
                *argv++ = "--report";
                *argv++ = row->reports[i];
        }
        *argv++ = verify_parse_name(row->parse);
        *argv = NULL;
        return gate_view(plan, &upper, err);
}

static int read_results(SpecRun *run, int output_fd, Error *err) {
        const VerifyCommand *row = &run->commands[run->at];
        const char *argv[2 * VERIFY_REPORTS_MAX + 3] = { "results", verify_parse_name(row->parse) };
        FilesJobSpec spec = { .argv = argv,
                              .input_fd = row->n_reports ? -EBADF : output_fd,
                              .output_fd = -EBADF,
                              .owner_uid = run->owner_uid };
        int r;

        r = gate_files_plan(run->front, &spec.plan, err);
        if (r == 0 && row->n_reports)
                r = add_reports(run, row, argv + 1, &spec.plan, err);
        if (r < 0)
                return r;
        return files_job_start(run->front, &spec, on_record, on_results, run, &run->job, err);
}

/* ---- commands ------------------------------------------------------------------------------------ */

/*
 * Of the other forms standard output alone is read: a runner that captures what the code under test prints does
 * so there, while standard error is inherited by compilers, and by that code. On one pipe it could put the
 * start of a line of its own before a runner's "not ok".
 */
static bool reads_errors(VerifyParse parse) {
        static const uint32_t told_there =
                BIT(PARSE_EXIT) | BIT(PARSE_COUNTS) | BIT(PARSE_UNITTEST) | BIT(PARSE_JEST);

        return told_there & BIT(parse);
}

/* Where they came apart standard error goes first: what the runner says last is its result. NULL: no memory */
static char *output_of(const CommandEnd *end) {
        autofree char *out = command_output(end, 0), *errors = command_output(end, 1);
        Buf text = BUF_EMPTY(8 * (size_t) INIT_KEEP_MAX);

        if (!out || !errors || !*errors)
                return TAKE_PTR(out);
        if (buf_printf(&text, "%s%s%s", errors, strchr(errors, 0)[-1] == '\n' ? "" : "\n", out) <
            0) {
                buf_deinit(&text);
                return NULL;
        }
        return buf_take(&text);
}

static void take_end(RunCommand *command, const CommandEnd *end) {
        command->cause = end->cause;
        command->code = end->code;
        command->signal = end->signal;
        command->step = end->step;
        command->hits = end->hits;
        command->wall_usec = end->wall_usec;
        command->output_cut = end->cut_at[0] < end->kept[0];
        if (end->output[0] >= 0)
                command->output = output_of(end);
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
        take_end(present(run), end);
        if (present(run)->parse == PARSE_EXIT || end->output[0] < 0 ||
            end->cause == CAUSE_NOT_STARTED)
                command_over(run);
        else if (read_results(run, end->output[0], &err) < 0)
                finish(run, &err);
}

static int start_command(SpecRun *run, const VerifyCommand *row, Error *err) {
        FrontJail *jail = front_jail_find(run->front, run->jail, 0);
        CommandSpec spec = COMMAND_SPEC_EMPTY;
        Command *command;
        int r;

        if (!jail)
                return error_say(err, -ESRCH, "the jail ended before \"%s\" could start", row->id);
        spec.argv = row->argv;
        spec.cwd = "/work";
        spec.alone = true; /* a daemon would write into the next command's results */
        if (reads_errors(row->parse))
                spec.stdio[2] = STDIO_MERGE;
        if (row->parse != PARSE_EXIT)
                spec.output_keep = RUN_OUTPUT_KEEP;
        if (row->wall_usec)
                spec.wall_usec = row->wall_usec < run->wall_usec ? row->wall_usec : run->wall_usec;
        r = command_start(jail, &spec, on_done, run, &command, err);
        run->running = r == 0;
        return r;
}

static void next(SpecRun *run) {
        const VerifyCommand *row = &run->commands[run->at];
        Error err = ERROR_EMPTY;

        if (run->at == run->n) {
                finish(run, NULL);
                return;
        }
        if (run->event)
                run->event(row->id, NULL, run->userdata);
        if (!run_result_add(run->result, row))
                fail(run, -ENOBUFS, "keep account of the commands");
        else if (start_command(run, row, &err) < 0)
                finish(run, &err);
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
        run->wall_usec = front_jail_limits(jail)->wall_usec;
        next(run);
}

int spec_run_start(Front *front, const SpecRunSpec *spec, SpecRun **ret, Error *err) {
        SCOPED(spec_run_free) SpecRun *run = calloc(1, sizeof(*run));
        int r;

        if (!run)
                return error_set(err, -ENOMEM, "run the commands of a verify");
        *run = (SpecRun){ .front = front,
                          .keep_upper = spec->root.keep_upper,
                          .wait_gone = spec->root.keep_upper || spec->upper_stays,
                          .upper = spec->upper_stays ? 0 : spec->root.upper,
                          .owner_uid = spec->root.owner_uid,
                          .commands = spec->commands,
                          .n = spec->n,
                          .event = spec->event,
                          .done = spec->done,
                          .userdata = spec->userdata,
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
        run->job = run->job ? files_job_cancel(run->job) : NULL;
        gate_jail_end_dropping(run->front, run->jail, run->keep_upper ? run->handle : run->upper);
        if (!run->running) /* else on_done() frees */
                spec_run_free(run);
        return NULL;
}

/*
 * results-job: see results-job.h. Jobs that wait are in a list of the front's, the newest first.
 */
#include "supervisor/front/gate/results-job.h"

#include <stdio.h>

#include "base/owned.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/policy/turns.h"

#define ARGS_MAX (2 * VERIFY_REPORTS_MAX + 6)

struct ResultsJob {
        Front *front;          /* borrowed */
        ResultsJob *next;      /* in front->ahead, while it waits */
        FilesJob *job;         /* owned; NULL: it has ended */
        sd_event_source *late; /* owned, while it waits */
        uint32_t owner_uid;
        ResultsReader reader; /* no @done: nobody reads yet */
};

typedef struct Words { /* of warder-files */
        const char *argv[ARGS_MAX];
        char since[24];
} Words;

/* It waits no more */
static void leave_list(ResultsJob *job) {
        for (ResultsJob **at = &job->front->ahead; *at; at = &(*at)->next)
                if (*at == job) {
                        *at = job->next;
                        break;
                }
        job->late = sd_event_source_disable_unref(job->late);
}

ResultsJob *results_cancel(ResultsJob *job) {
        if (!job)
                return NULL;
        leave_list(job);
        files_job_cancel(job->job);
        free(job);
        return NULL;
}
DEFINE_SCOPED(ResultsJob *, results_cancel);

static void stop_waiting(ResultsJob *job) {
        leave_list(job);
        job->job = files_job_cancel(job->job);
}

bool results_let_go(Front *front, uint32_t uid) {
        for (ResultsJob *job = front->ahead; job; job = job->next)
                if (job->owner_uid == uid) {
                        stop_waiting(job);
                        return true;
                }
        return false;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        stop_waiting(userdata);
        return 0;
}

/* ---- the job ------------------------------------------------------------------------------------- */

static void on_record(const Record *record, void *userdata) {
        const ResultsJob *job = userdata;

        if (job->reader.record)
                job->reader.record(record, job->reader.userdata);
}

static void on_done(const FilesJobEnd *end, void *userdata) {
        ResultsJob *job = userdata;
        ResultsReader reader = job->reader;

        job->job = NULL;
        if (!reader.done) { /* it ended before it had anything to read: as if there had been none */
                leave_list(job);
                return;
        }
        free(job);
        reader.done(end, reader.userdata);
}

/* Reports lie in the upper of the jail: when they are read nothing of the command is left that could still write to them */
static int add_reports(const ResultsSpec *spec, bool waits, Words *words, Plan *plan, Error *err) {
        const GateView upper = { .target = VIEW_UPPER, .upper = spec->jail };
        const char **argv = words->argv + 1;

        if (!spec->jail)
                return error_say(err, -ESRCH, "the jail ended before its reports were read");
        (void) snprintf(words->since, sizeof(words->since), "%llu",
                        (unsigned long long) spec->since_nsec);
        *argv++ = "--since";
        *argv++ = words->since;
        if (waits)
                *argv++ = "--wait";
        for (unsigned i = 0; i < spec->row->n_reports; i++) {
                *argv++ = "--report";
                *argv++ = spec->row->reports[i];
        }
        *argv++ = verify_parse_name(spec->row->parse);
        *argv = NULL;
        return gate_view(plan, &upper, err);
}

/* @input_fd: -EBADF: it waits, or has reports */
static int start(ResultsJob *job, const ResultsSpec *spec, bool waits, int input_fd, Error *err) {
        Words words = { .argv = { "results", verify_parse_name(spec->row->parse) } };
        FilesJobSpec files = { .argv = words.argv,
                               .waits = waits,
                               .input_fd = input_fd,
                               .output_fd = -EBADF,
                               .owner_uid = spec->owner_uid };
        int r;

        r = gate_files_plan(job->front, &files.plan, err);
        if (r == 0 && spec->row->n_reports)
                r = add_reports(spec, waits, &words, &files.plan, err);
        return r < 0 ? r
                     : files_job_start(job->front, &files, on_record, on_done, job, &job->job, err);
}

static ResultsJob *job_new(Front *front, uint32_t uid) {
        ResultsJob *job = calloc(1, sizeof(*job));

        if (job)
                *job = (ResultsJob){ .front = front, .owner_uid = uid };
        return job;
}

ResultsJob *results_ahead(Front *front, const ResultsSpec *spec) {
        SCOPED(results_cancel) ResultsJob *job = NULL;
        const Policy *policy = policies_find(front->policies, "files", NULL);

        if (!policy || spec->row->parse == PARSE_EXIT || (spec->row->n_reports && !spec->jail) ||
            !turn_has_room(front, spec->owner_uid, &policy_limits(policy)->plan))
                return NULL;
        job = job_new(front, spec->owner_uid);
        if (!job || start(job, spec, true, -EBADF, NULL) < 0 ||
            sd_event_add_time_relative(front->event, &job->late, CLOCK_MONOTONIC,
                                       RESULTS_AHEAD_USEC, 0, on_late, job) < 0)
                return NULL;
        job->next = front->ahead;
        front->ahead = job;
        return TAKE_PTR(job);
}

int results_read(Front *front, ResultsJob *ahead, const ResultsSpec *spec, int output_fd,
                 const ResultsReader *reader, ResultsJob **ret, Error *err) {
        SCOPED(results_cancel) ResultsJob *job = ahead, *fresh = NULL;
        int input = spec->row->n_reports ? -EBADF : output_fd, r;

        if (job && job->job && files_job_go(job->job, input, NULL) == 0) {
                leave_list(job);
                job->reader = *reader;
                *ret = TAKE_PTR(job);
                return 0;
        }
        fresh = job_new(front, spec->owner_uid);
        if (!fresh)
                return error_set(err, -ENOMEM, "read the results of a command");
        fresh->reader = *reader;
        r = start(fresh, spec, false, input, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(fresh);
        return 0;
}

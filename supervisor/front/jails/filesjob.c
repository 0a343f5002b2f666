/*
 * filesjob: see filesjob.h.
 *
 *   jail asked for -> command running, records read as they come -> command ended, pipe read to its end
 *   -> (jail gone, where it makes a layer, or something of the command is left that could write to a kept upper) -> done,
 *      freed
 *
 * A job that waits has its program started at once, with a pipe as descriptor 0: what it was made for comes through that
 * (feed.h), so that a jail, an execution and a linker are paid while something else is waited for.
 *
 * What warder-files writes has been near hostile archives: a record of an unknown kind, bytes that are no
 * record, or anything after the last record fails the job.
 */
#include "supervisor/front/jails/filesjob.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/escape.h"
#include "base/fds.h"
#include "base/owned.h"
#include "base/rules.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/feed.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/policies.h"

#define ARGS_MAX       1024
#define RECORDS_MAX    (256 * 1024) /* unread bytes of records */
#define READ_MAX       (64 * 1024)
#define NAME_SHOWN_MAX 180
#define POLICY         "files"

struct FilesJob {
        Front *front;    /* borrowed, outlives us */
        FrontJail *jail; /* borrowed; NULL before and after */
        char **argv;     /* owned, as what it points to */
        int input_fd;    /* owned, like all descriptors */
        int output_fd;
        int records_fd;
        int feed_fd; /* of a job that waits: the other end of input_fd, until files_job_go() */
        Feed *feed;
        sd_event_source *records;
        Buf buf;
        uint64_t wall_usec;
        uint64_t handle; /* of the jail whose upper is kept */
        bool keep_upper;
        bool makes_layer; /* the monitor gives it its name when the jail is gone */
        bool cancelled;
        bool done_seen; /* RECORD_DONE */
        bool refused;
        uint32_t rule;
        Error err; /* the first reason of a failure */
        FilesStartedFn started;
        FilesRecordFn record;
        FilesDoneFn done;
        void *userdata;
};

static FilesJob *job_free(FilesJob *job) {
        if (!job)
                return NULL;
        sd_event_source_disable_unref(job->records);
        for (char **arg = job->argv; arg && *arg; arg++)
                free(*arg);
        free(job->argv);
        fds_close(&job->input_fd, 1);
        fds_close(&job->output_fd, 1);
        fds_close(&job->records_fd, 1);
        fds_close(&job->feed_fd, 1);
        feed_free(job->feed);
        buf_deinit(&job->buf);
        job->front->jobs--;
        front_touch(job->front);
        free(job);
        return NULL;
}
DEFINE_SCOPED(FilesJob *, job_free);

static void set_error(FilesJob *job, const Error *err) {
        if (job->err.code == 0)
                job->err = *err;
}

static void drop_upper(FilesJob *job) {
        if (job->keep_upper && job->handle)
                (void) monitor_layer(job->front->monitor, REQUEST_UPPER_DROP, job->handle, NULL,
                                     NULL, NULL, NULL);
}

/* The last step: tell and free. */
static void conclude(void *userdata) {
        SCOPED(job_free) FilesJob *job = userdata;
        FilesJobEnd end = { .refused = job->refused, .rule = job->rule };

        if (job->err.code == 0 && job->feed && feed_failed(job->feed))
                error_say(&job->err, -EIO, "what warder-files was to read could not be read");
        if (job->err.code == 0 && !job->done_seen)
                error_say(&job->err, -EPROTO, "warder-files ended without saying why");
        end.err = job->err.code ? &job->err : NULL;
        if (job->cancelled || end.err)
                drop_upper(job);
        else if (job->keep_upper)
                end.upper_handle = job->handle;
        if (!job->cancelled)
                job->done(&end, job->userdata);
}

/* More than there is room for is told from what may not be at all: there may be more room another time */
static int code_of(uint32_t rule) {
        return rule == RULE_TOO_MANY_BYTES || rule == RULE_TOO_MANY_ENTRIES ? -ENOSPC : -EINVAL;
}

/* "path", NUL, "sentence" of REFUSED, whose path a stranger chose; a sentence alone in FAILED. */
static void take_failure(FilesJob *job, const Record *record) {
        const char *text = record->data;
        const char *second = text + strlen(text) + 1;
        autofree char *shown = NULL;
        Error err = ERROR_EMPTY;

        if (record->head.kind == RECORD_REFUSED && second < record->data + record->head.size) {
                job->refused = true;
                job->rule = record->head.flags;
                shown = escape_new(*text ? text : "input", NAME_SHOWN_MAX);
                error_say(&err, code_of(job->rule), "%s: %.250s (rule %s)", shown ? shown : "input",
                          second, record_rule_name(record->head.flags));
        } else {
                job->refused = record->head.kind == RECORD_REFUSED;
                error_say(&err, job->refused ? -EINVAL : -EIO, "%.400s",
                          *text ? text : "warder-files failed and gave no reason");
        }
        set_error(job, &err);
}

static void take_record(FilesJob *job, const Record *record) {
        Error err = ERROR_EMPTY;

        if (job->done_seen || record->head.kind == 0 || record->head.kind >= _RECORD_KIND_MAX) {
                error_say(&err, -EPROTO, "warder-files sent a record that may not come here");
                set_error(job, &err);
        } else if (record->head.kind == RECORD_REFUSED || record->head.kind == RECORD_FAILED) {
                take_failure(job, record);
        } else {
                job->done_seen = record->head.kind == RECORD_DONE;
                if (!job->cancelled && job->record)
                        job->record(record, job->userdata);
        }
}

/* Returns: 1 more may come, 0 the end, negative: nothing there now, or broken. */
static int read_records(FilesJob *job) {
        Error err = ERROR_EMPTY;
        Record record;
        ssize_t n = buf_read(&job->buf, job->records_fd, READ_MAX);
        int r = 1;

        if (n <= 0)
                return (int) n;
        while (job->err.code == 0 && (r = record_next(&job->buf, &record)) > 0)
                take_record(job, &record);
        if (r < 0) {
                error_say(&err, -EPROTO, "warder-files sent what is no record");
                set_error(job, &err);
        }
        return job->err.code == 0 ? 1 : -EPROTO;
}

static int on_records(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FilesJob *job = userdata;
        int r = read_records(job);

        (void) fd;
        (void) revents;
        if (r == 0 || (r < 0 && r != -EAGAIN && r != -EINTR)) /* the command's end comes too */
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static void judge_end(FilesJob *job, const CommandEnd *end) {
        Error err = ERROR_EMPTY;

        if (end->cause == CAUSE_EXITED && end->code == 0)
                return;
        if (end->cause == CAUSE_EXITED)
                error_say(&err, -EIO, "warder-files failed with code %d", end->code);
        else if (end->cause == CAUSE_NOT_STARTED)
                error_set(&err, end->code ? end->code : -EIO, "start warder-files (%s)",
                          init_step_name(end->step)); /* a failure of no number is one too */
        else
                error_say(&err, -EIO, "warder-files was ended: %s", cause_name(end->cause));
        set_error(job, &err);
}

static void end_jail(FilesJob *job, bool wait) {
        FrontJail *jail = TAKE_PTR(job->jail);

        front_jail_end(jail, wait ? conclude : NULL, job);
        if (!wait)
                conclude(job);
}

/*
 * A kept upper may become a layer as soon as nothing is left that could write to it: init saw that the command's group
 * is empty, and what else is in the jail runs nothing of the command's.
 */
static void on_command(Command *command, const CommandEnd *end, void *userdata) {
        FilesJob *job = userdata;

        (void) command;
        while (read_records(job) > 0)
                ;
        judge_end(job, end);
        end_jail(job, job->makes_layer || (job->keep_upper && (end->left || job->err.code)));
}

static void spec_init(const FilesJob *job, CommandSpec *spec) {
        *spec = COMMAND_SPEC_EMPTY;
        spec->argv = (const char *const *) job->argv;
        spec->cwd = "/";
        spec->uid = spec->gid = 0;
        spec->stdio[0] = job->input_fd >= 0 ? STDIO_FD : STDIO_NULL;
        spec->stdio[1] = job->output_fd >= 0 ? STDIO_FD : STDIO_NULL;
        spec->stdio[2] = STDIO_FD;
        spec->fds[0] = job->input_fd;
        spec->fds[1] = job->output_fd;
        spec->binary_fd = job->front->files_fd;
        spec->wall_usec = job->wall_usec;
        spec->last = true;
}

static int start_command(FilesJob *job, FrontJail *jail, Error *err) {
        CommandSpec spec;
        Command *command;
        int ends[2];
        int r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe for warder-files");
        job->records_fd = ends[0];
        spec_init(job, &spec);
        spec.fds[2] = ends[1];
        r = fd_set_nonblock(ends[0], true);
        if (r >= 0)
                r = sd_event_add_io(job->front->event, &job->records, ends[0], EPOLLIN, on_records,
                                    job);
        if (r < 0)
                error_set(err, r, "watch warder-files");
        else
                r = command_start(jail, &spec, on_command, job, &command, err);
        (void) close(ends[1]);
        fds_close(&job->input_fd, 1); /* it has its own; nobody else's keeps a broken pipe whole */
        return r;
}

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        FilesJob *job = userdata;
        Error own = ERROR_EMPTY;

        if (err || job->cancelled) {
                job->jail = NULL;
                if (err)
                        set_error(job, err);
                conclude(job);
                return;
        }
        job->handle = front_jail_handle(jail);
        if (start_command(job, jail, &own) >= 0) {
                if (job->started)
                        job->started(job->userdata);
                return;
        }
        set_error(job, &own);
        end_jail(job, job->makes_layer || job->keep_upper);
}

static char **copy_argv(const char *const *argv) {
        char **copy;
        unsigned n = 0;

        while (n < ARGS_MAX && argv[n])
                n++;
        copy = calloc(n + 2, sizeof *copy);
        if (!copy)
                return NULL;
        copy[0] = strdup("warder-files");
        for (unsigned i = 0; i < n && copy[i]; i++)
                copy[i + 1] = strdup(argv[i]);
        return copy;
}

static int keep_fd(int fd, int *ret, Error *err) {
        if (fd < 0)
                return 0;
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret < 0 ? error_set(err, -errno, "keep a descriptor for warder-files") : 0;
}

static int make_feed(FilesJob *job, Error *err) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe for warder-files");
        job->input_fd = ends[0];
        job->feed_fd = ends[1];
        return 0;
}

static int job_new(Front *front, const FilesJobSpec *spec, FilesJob **ret, Error *err) {
        SCOPED(job_free) FilesJob *job = NULL;
        FilesJob *fresh = calloc(1, sizeof *fresh);
        int r;

        if (!fresh)
                return error_set(err, -ENOMEM, "start warder-files");
        *fresh = (FilesJob){ .front = front,
                             .input_fd = -EBADF,
                             .output_fd = -EBADF,
                             .records_fd = -EBADF,
                             .feed_fd = -EBADF,
                             .buf = BUF_EMPTY(RECORDS_MAX),
                             .wall_usec = spec->wall_usec,
                             .keep_upper = spec->keep_upper,
                             .started = spec->started };
        front->jobs++;
        job = fresh;
        for (unsigned i = 0; i < spec->plan.n_layers; i++)
                job->makes_layer |= spec->plan.layers[i].kind == LAYER_NEW;
        job->argv = copy_argv(spec->argv);
        if (!job->argv)
                return error_set(err, -ENOMEM, "start warder-files");
        r = spec->waits ? make_feed(job, err) : keep_fd(spec->input_fd, &job->input_fd, err);
        if (r >= 0)
                r = keep_fd(spec->output_fd, &job->output_fd, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

/* The root comes first in a plan: the caller's layers and views go behind it, as they are shared among them. */
static int make_plan(Front *front, const FilesJobSpec *spec, const JailLimits *limits, Plan *plan,
                     Error *err) {
        const RootSpec root = { .snapshot = "host" };
        const Plan *more = &spec->plan;
        uint32_t first;
        int r;

        plan_init(plan, limits);
        plan->limits = more->limits;
        plan->uid = more->uid; /* whom a caller's directory is shown to belong to */
        plan->gid = more->gid;
        plan->flags |= PLAN_FILES_CAPS | (spec->keep_upper ? PLAN_KEEP_UPPER : 0);
        r = plan_root(front, plan, &root, err);
        if (r < 0)
                return r;
        first = plan->n_layers;
        if (more->n_layers > PLAN_LAYERS_MAX - first ||
            more->n_views > PLAN_VIEWS_MAX - plan->n_views)
                return error_say(err, -E2BIG, "a jail takes at most %d layers", PLAN_LAYERS_MAX);
        memcpy(plan->layers + first, more->layers, more->n_layers * sizeof(more->layers[0]));
        plan->n_layers += more->n_layers;
        for (unsigned i = 0; i < more->n_views; i++) {
                PlanView *view = &plan->views[plan->n_views++];

                *view = more->views[i];
                view->first += first;
        }
        return 0;
}

int files_job_start(Front *front, const FilesJobSpec *spec, FilesRecordFn record, FilesDoneFn done,
                    void *userdata, FilesJob **ret, Error *err) {
        const Policy *policy = policies_find(front->policies, POLICY, err);
        SCOPED(job_free) FilesJob *job = NULL;
        JailSpec jail = { .snapshot = "host", .policy = POLICY };
        int r;

        if (!policy)
                return err ? err->code : -EINVAL;
        jail.limits = *policy_limits(policy);
        jail.filter_fd = policy_filter(policy);
        jail.owner_uid = spec->owner_uid;
        jail.client = spec->client;
        jail.reads_damaged = spec->reads_damaged;
        jail.fds = spec->fds;
        jail.n_fds = spec->n_fds;
        r = make_plan(front, spec, &jail.limits, &jail.plan, err);
        if (r >= 0)
                r = job_new(front, spec, &job, err);
        if (r < 0)
                return r;
        job->record = record;
        job->done = done;
        job->userdata = userdata;
        r = front_jail_new(front, &jail, on_ready, job, &job->jail, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

int files_job_go(FilesJob *job, int input_fd, Error *err) {
        if (input_fd >= 0)
                return feed_start(job->front->event, &job->feed_fd, input_fd, &job->feed, err);
        fds_close(&job->feed_fd, 1);
        return 0;
}

FilesJob *files_job_cancel(FilesJob *job) {
        if (!job)
                return NULL;
        job->cancelled = true;
        if (job->jail) /* its command, or its making, ends with it and concludes the job */
                front_jail_end(job->jail, NULL, NULL);
        return NULL;
}

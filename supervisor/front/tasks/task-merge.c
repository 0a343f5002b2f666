/*
 * task-merge: see task-merge.h. Both jails stand still while the job reads them. Two states:
 *
 *   job    warder-files writes what is to change into a memfd
 *   feed   the call was answered; what it wrote goes to the agent as fast as that reads
 */
#include "supervisor/front/tasks/task-merge.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/feed.h"
#include "supervisor/front/jails/jail-calls.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/tasks/task-fork.h"

#define MERGE_BYTES_MAX (64ull << 20)
#define PATH_SHOWN_MAX  4096
#define PATHS_MAX       (256u << 10) /* of all conflicts that are named; in JSON twice as much at most */

enum { OURS, THEIRS, _SIDES };

struct TaskMerge {
        Task *task;               /* borrowed */
        AgentCall *call;          /* borrowed, until it is answered */
        FilesJob *job;            /* owned */
        Feed *feed;               /* owned */
        int fd;                   /* owned: what is to change, until the feed has it */
        JailHold *frozen[_SIDES]; /* owned: while the job reads them */
        cJSON *conflicts;         /* owned */
        uint64_t n_conflicts, n_paths;
        size_t named; /* bytes of their paths */
        bool no_memory;
};

static const char *const kinds[_CONFLICT_KIND_MAX] = {
        [CONFLICT_CONTENT] = "content",
        [CONFLICT_BOTH_ADDED] = "both_added",
        [CONFLICT_OURS_DELETED] = "ours_deleted",
        [CONFLICT_THEIRS_DELETED] = "theirs_deleted",
        [CONFLICT_BINARY] = "binary",
        [CONFLICT_LINK] = "link",
        [CONFLICT_TYPE] = "type",
        [CONFLICT_MODE] = "mode",
        [CONFLICT_DIRECTORY] = "directory",
};

static void thaw(TaskMerge *merge) {
        for (unsigned i = 0; i < _SIDES; i++)
                merge->frozen[i] = jail_hold_free(merge->frozen[i]);
}

static TaskMerge *merge_free(TaskMerge *merge) {
        if (!merge)
                return NULL;
        thaw(merge);
        if (merge->task->merge == merge)
                merge->task->merge = NULL;
        files_job_cancel(merge->job);
        feed_free(merge->feed);
        owned_close(&merge->fd);
        json_free(merge->conflicts);
        free(merge);
        return NULL;
}
DEFINE_SCOPED(TaskMerge *, merge_free);

void task_merges_stop(Task *task) {
        merge_free(task->merge);
}

/* ---- what the job says --------------------------------------------------------------------------- */

static void add_conflict(TaskMerge *merge, const Record *record) {
        const char *kind =
                record->head.flags < _CONFLICT_KIND_MAX ? kinds[record->head.flags] : NULL;
        autofree char *path = NULL;
        cJSON *json;

        merge->n_conflicts++;
        if (merge->n_conflicts > TASK_CONFLICTS_MAX || merge->named > PATHS_MAX)
                return;
        path = escape_new(record->data, PATH_SHOWN_MAX);
        json = json_push_consume(merge->conflicts, cJSON_CreateObject());
        json_add_text(json, "path", path);
        merge->named += path ? strlen(path) : 0;
        if (!path || !json_add_text(json, "kind", kind ? kind : "unknown"))
                merge->no_memory = true;
}

static void on_record(const Record *record, void *userdata) {
        TaskMerge *merge = userdata;

        if (record->head.kind == RECORD_PATH)
                merge->n_paths++;
        else if (record->head.kind == RECORD_CONFLICT)
                add_conflict(merge, record);
}

/* ---- the answer ---------------------------------------------------------------------------------- */

static int measure(const TaskMerge *merge, uint64_t *ret_bytes, Error *err) {
        struct stat st;

        if (merge->no_memory)
                return error_set(err, -ENOMEM, "take in the merge");
        if (fstat(merge->fd, &st) < 0)
                return error_set(err, -errno, "look at the merge");
        if ((uint64_t) st.st_size > MERGE_BYTES_MAX)
                return error_say(err, -EFBIG, "the merge is larger than 64 MiB");
        *ret_bytes = (uint64_t) st.st_size;
        return 0;
}

/* @ret_fd: the agent's end */
static int start_feed(TaskMerge *merge, int *ret_fd, Error *err) {
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe for the merge");
        r = feed_start(merge->task->front->event, &ends[1], merge->fd, &merge->feed, err);
        owned_close(&merge->fd);
        merge->fd = -EBADF;
        if (r < 0) {
                fds_close(ends, 2);
                return r;
        }
        *ret_fd = ends[0];
        return 0;
}

static int hand_over(TaskMerge *merge, const FilesJobEnd *end, cJSON **ret_json, int *ret_fd,
                     Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        uint64_t bytes = 0;
        int r;

        if (end->err)
                return error_say(err, end->err->code, "%s", end->err->text);
        r = measure(merge, &bytes, err);
        if (r < 0)
                return r;
        json = cJSON_CreateObject();
        json_add_number(json, "paths", merge->n_paths);
        json_add_number(json, "conflicting", merge->n_conflicts);
        json_add_consume(json, "conflicts", TAKE_PTR(merge->conflicts));
        if (!json_add_number(json, "bytes", bytes))
                return error_set(err, -ENOMEM, "tell of the merge");
        r = start_feed(merge, ret_fd, err);
        if (r == 0)
                *ret_json = TAKE_PTR(json);
        return r;
}

static void on_done(const FilesJobEnd *end, void *userdata) {
        TaskMerge *merge = userdata;
        AgentCall *call = TAKE_PTR(merge->call);
        const char *code = !end->err ? NULL : end->refused ? "invalid" : "jail";
        autoclose int fd = -EBADF;
        Error err = ERROR_EMPTY;
        cJSON *json = NULL;

        merge->job = NULL;
        thaw(merge);
        if (hand_over(merge, end, &json, &fd, &err) < 0) {
                merge_free(merge);
                agent_call_fail(call, code, &err);
                return;
        }
        agent_call_answer(call, json, &fd, 1);
}

/* ---- start --------------------------------------------------------------------------------------- */

static int freeze(TaskMerge *merge, const TaskPlace places[_SIDES], Error *err) {
        int r = 0;

        for (unsigned i = 0; i < _SIDES && r == 0; i++)
                r = jail_hold_new(places[i].jail, &merge->frozen[i], err);
        return r;
}

static int fill_plan(const Task *task, const TaskPlace places[_SIDES], Plan *plan, Error *err) {
        GateLayers ours = task_place_layers(task, &places[OURS], false);
        GateLayers theirs = task_place_layers(task, &places[THEIRS], false);
        uint64_t upper = front_jail_handle(places[THEIRS].jail);
        const GateView views[] = {
                { .target = VIEW_OLD, .layers = &theirs },
                { .target = VIEW_NEW, .layers = &theirs, .upper = upper },
                { .target = VIEW_UPPER, .upper = upper },
                { .target = VIEW_TREE,
                  .layers = &ours,
                  .upper = front_jail_handle(places[OURS].jail) },
        };
        int r = gate_files_plan(task->front, plan, err);

        for (unsigned i = 0; i < ELEMENTS(views) && r == 0; i++)
                r = gate_view(plan, &views[i], err);
        return r;
}

static int start_job(TaskMerge *merge, const TaskPlace places[_SIDES], Error *err) {
        static const char *const argv[] = { "merge", "work", NULL };
        Task *task = merge->task;
        FilesJobSpec job = { .argv = argv, .input_fd = -EBADF, .owner_uid = task->owner_uid };
        int r = fill_plan(task, places, &job.plan, err);

        if (r < 0)
                return r;
        merge->fd = memfd_new("merge", false, err);
        if (merge->fd < 0)
                return merge->fd;
        job.output_fd = merge->fd;
        r = freeze(merge, places, err);
        return r < 0 ? r
                     : files_job_start(task->front, &job, on_record, on_done, merge, &merge->job,
                                       err);
}

int task_merge(AgentCall *call, const cJSON *params, Error *err) {
        SCOPED(merge_free) TaskMerge *merge = NULL;
        TaskMerge *fresh;
        TaskPlace places[_SIDES];
        Task *task = call->task;
        int r;

        if (task->merge && task->merge->feed && feed_is_over(task->merge->feed))
                merge_free(task->merge);
        if (task->merge)
                return error_say(err, -EBUSY,
                                 "a merge is under way already, or not yet read: wait for its "
                                 "answer, and read all of it");
        r = task_place(task, NULL, &places[OURS], err);
        if (r == 0)
                r = task_place(task, params, &places[THEIRS], err);
        if (r < 0)
                return r;
        fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
                return error_set(err, -ENOMEM, "merge a fork");
        *fresh = (TaskMerge){ .task = task, .call = call, .fd = -EBADF };
        merge = fresh;
        merge->conflicts = cJSON_CreateArray();
        if (!merge->conflicts)
                return error_set(err, -ENOMEM, "merge a fork");
        r = start_job(merge, places, err);
        if (r == 0)
                task->merge = TAKE_PTR(merge);
        return r;
}

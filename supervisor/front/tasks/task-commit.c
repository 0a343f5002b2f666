/*
 * task-commit: see task-commit.h.
 *
 *   checkpoint -> queue -> (dirty: WorkLayer, the jail stands still) -> one transaction -> answer
 *
 * Where there is no room for the layer, older ones of the task go, one after the other. If that does not help the
 * commit stands without its workspace: a resume goes back to the last one that has one.
 */
#include "supervisor/front/tasks/task-commit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/gate/work-layer.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-steps.h"

#define PATH "{\"type\":\"string\",\"minLength\":1,\"maxLength\":1023}"

const char task_commit_schema[] =
        "{\"type\":\"object\",\"required\":[\"path\"],\"additionalProperties\":false,"
        "\"properties\":{"
        "\"path\":" PATH ",\"replaces\":" PATH ",\"output\":{},\"state\":{\"type\":\"object\"},"
        "\"memory\":{\"type\":\"object\"},\"begun\":{\"const\":true}}}";

typedef struct Pending { /* one that waits */
        struct Pending *next;
        AgentCall *call; /* borrowed; the task's end cancels before it is freed */
        char *texts[5];  /* owned: TEXT_* */
} Pending;

enum { TEXT_PATH, TEXT_REPLACES, TEXT_OUTPUT, TEXT_STATE, TEXT_MEMORY };

struct TaskCommits {
        Pending *first;
        WorkLayer *saving; /* owned */
        int journal_fd;    /* owned: a large journal, as this run's agent first got it */
        bool told;         /* that there is no room for layers */
};

/* ---- the queue ----------------------------------------------------------------------------------- */

static Pending *pending_free(Pending *pending) {
        if (!pending)
                return NULL;
        for (unsigned i = 0; i < ELEMENTS(pending->texts); i++)
                free(pending->texts[i]);
        free(pending);
        return NULL;
}
DEFINE_SCOPED(Pending *, pending_free);

static int pending_new(AgentCall *call, const cJSON *params, Pending **ret) {
        static const char *const values[] = {
                [TEXT_OUTPUT] = "output", [TEXT_STATE] = "state", [TEXT_MEMORY] = "memory"
        };
        SCOPED(pending_free) Pending *pending = calloc(1, sizeof(*pending));
        const char *replaces = json_text(params, "replaces");
        bool begun = json_true(params, "begun");

        if (!pending)
                return -ENOMEM;
        pending->call = call;
        pending->texts[TEXT_PATH] = strdup(json_text(params, "path"));
        if (replaces)
                pending->texts[TEXT_REPLACES] = strdup(replaces);
        if (!pending->texts[TEXT_PATH] || (replaces && !pending->texts[TEXT_REPLACES]))
                return -ENOMEM;
        for (unsigned i = TEXT_OUTPUT; i < ELEMENTS(values); i++) {
                const cJSON *value = json_get(params, values[i]);

                if (value && !begun && !(pending->texts[i] = json_print(value)))
                        return -ENOMEM;
        }
        if (!begun && !pending->texts[TEXT_OUTPUT] &&
            !(pending->texts[TEXT_OUTPUT] = strdup("null")))
                return -ENOMEM;
        *ret = TAKE_PTR(pending);
        return 0;
}

static Pending *pop(TaskCommits *commits) {
        Pending *pending = commits->first;

        commits->first = pending->next;
        return pending;
}

/* Of this run. Returns: borrowed; NULL: no memory */
static TaskCommits *commits_of(Task *task) {
        if (task->commits)
                return task->commits;
        task->commits = calloc(1, sizeof(*task->commits));
        if (task->commits)
                task->commits->journal_fd = -EBADF;
        return task->commits;
}

bool task_commits_wait(const Task *task) {
        return task->commits && task->commits->first;
}

void task_commits_cancel(Task *task) {
        TaskCommits *commits = TAKE_PTR(task->commits);

        if (!commits)
                return;
        if (commits->saving) {
                commits->saving = work_layer_cancel(commits->saving);
                task->steps.is_dirty = true;
        }
        while (commits->first)
                pending_free(pop(commits));
        fds_close(&commits->journal_fd, 1);
        free(commits);
}

void task_touched(Task *task) {
        task->steps.is_dirty = true;
}

/* ---- committing ---------------------------------------------------------------------------------- */

static int write_commit(Task *task, const Pending *pending, const WorkLayerEnd *end, Error *err) {
        const TaskSteps *steps = &task->steps;
        StepCommit commit = { .path = pending->texts[TEXT_PATH],
                              .replaces = pending->texts[TEXT_REPLACES],
                              .output = pending->texts[TEXT_OUTPUT],
                              .state = pending->texts[TEXT_STATE],
                              .memory = pending->texts[TEXT_MEMORY],
                              .work = steps->is_dirty ? WORK_UNKNOWN : steps->work,
                              .layer = steps->layer };

        if (end && !end->err) {
                commit.work = WORK_LAYER;
                commit.layer = end->digest;
                commit.layer_bytes = end->bytes;
        }
        return task_steps_commit(task, &commit, err);
}

static void answer(Task *task, Pending *pending, int r, const Error *err) {
        AgentCall *call = pending->call;
        cJSON *json;

        pending_free(pending);
        if (r < 0) {
                agent_call_fail(call, NULL, err);
                return;
        }
        json = cJSON_CreateObject();
        json_add_number(json, "n", task->steps.seq);
        agent_call_answer(call, json, NULL, 0);
}

/* A layer that a row of the task names already is held for that one */
static void commit_one(Task *task, const WorkLayerEnd *end) {
        bool is_new = end && !end->err && !task_steps_has_layer(task, end->digest);
        Pending *pending = pop(task->commits);
        uint32_t restarts = task->restarts;
        Error err = ERROR_EMPTY;
        int r;

        task->restarts = 0; /* losses running are counted: it gets on */
        r = write_commit(task, pending, end, &err);
        if (r < 0)
                task->restarts = restarts;
        if (end && !end->err && (r < 0 || !is_new))
                hold_drop(tasks_holds(task->front->tasks), end->digest, task->owner_uid);
        answer(task, pending, r, &err);
}

static void go_on(Task *task);

/* Once for a task: whoever undoes or resumes it will see what could not be kept */
static void tell_no_room(Task *task, const Error *err) {
        const EventHead head = { .event = "notice" };
        cJSON *data;

        if (task->commits->told)
                return;
        task->commits->told = true;
        data = cJSON_CreateObject();
        json_add_text(data, "phase", "workspace");
        json_add_text(data, "text", err->text);
        events_emit(task, &head, data);
        log_event(LOG_WARNING, "a workspace is not kept", F("TASK", task->id), F_ERR(err));
}

static void on_saved(const WorkLayerEnd *end, void *userdata) {
        Task *task = userdata;

        task->commits->saving = NULL;
        if (end->err)
                task->steps.is_dirty = true;
        if (end->err && task_jail(task) && task_history_evict(task)) {
                go_on(task);
                return;
        }
        if (end->err)
                tell_no_room(task, end->err);
        commit_one(task, end);
        go_on(task);
}

/* Returns: will on_saved() come */
static bool save(Task *task) {
        Error err = ERROR_EMPTY;
        int r;

        do
                r = work_layer_save(task, on_saved, task, &task->commits->saving, &err);
        while (r < 0 && task_jail(task) && task_history_evict(task));
        if (r < 0)
                tell_no_room(task, &err);
        else
                task->steps.is_dirty = false; /* what runs on, or ends from now on, sets it again */
        return r >= 0;
}

/* An answer may end the task, and the commits with it: look anew each time */
static void go_on(Task *task) {
        while (task_commits_wait(task) && !task->commits->saving) {
                if (task->steps.is_dirty && save(task))
                        return;
                commit_one(task, NULL);
        }
        if (!task_commits_wait(task))
                task_park_go_on(task);
}

static int commit_begun(AgentCall *call, Pending *pending_consume, Error *err) {
        SCOPED(pending_free) Pending *pending = pending_consume;
        int r = write_commit(call->task, pending, NULL, err);

        if (r < 0)
                return r;
        agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        return 0;
}

static int enqueue(Task *task, Pending *pending_consume, Error *err) {
        SCOPED(pending_free) Pending *pending = pending_consume;
        Pending **at;

        if (!commits_of(task))
                return error_set(err, -ENOMEM, "commit a step");
        for (at = &task->commits->first; *at; at = &(*at)->next)
                ;
        *at = TAKE_PTR(pending);
        go_on(task);
        return 0;
}

int task_commit(AgentCall *call, const cJSON *params, Error *err) {
        Pending *pending = NULL;
        int r;

        if (!call->id)
                return error_say(err, -EINVAL,
                                 "a checkpoint is a request: its answer says that it "
                                 "is on disk");
        r = pending_new(call, params, &pending);
        if (r < 0)
                return error_set(err, r, "commit a step");
        return json_true(params, "begun") ? commit_begun(call, pending, err)
                                          : enqueue(call->task, pending, err);
}

/* ---- the journal --------------------------------------------------------------------------------- */

/* One file for all that an agent asks in a run: who keeps every answer open must not fill our memory */
static int add_file(TaskCommits *commits, cJSON *info, unsigned index, int *ret_fd, Error *err) {
        int fd;

        (void) lseek(commits->journal_fd, 0, SEEK_SET);
        fd = fcntl(commits->journal_fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return error_set(err, -errno, "tell the agent its journal");
        json_add_number(info, "journal_fd", index);
        *ret_fd = fd;
        return 0;
}

int task_commits_add_journal(Task *task, cJSON *info, unsigned index, int *ret_fd, Error *err) {
        TaskCommits *commits = commits_of(task);
        autofree char *text = NULL;
        cJSON *journal = NULL;
        size_t n;
        int fd, r;

        if (!commits)
                return error_set(err, -ENOMEM, "tell the agent its journal");
        if (commits->journal_fd >= 0)
                return add_file(commits, info, index, ret_fd, err);
        r = task_steps_journal(task, &text, &n, err);
        if (r < 0)
                return r;
        if (n <= STEP_JOURNAL_INLINE) {
                r = json_parse(text, n, 0, &journal, err);
                if (r < 0)
                        return r;
                return json_add_consume(info, "journal", journal)
                               ? 0
                               : error_set(err, -ENOMEM, "tell the agent its journal");
        }
        fd = memfd_sealed("journal", text, n, false, err);
        if (fd < 0)
                return fd;
        commits->journal_fd = fd;
        return add_file(commits, info, index, ret_fd, err);
}

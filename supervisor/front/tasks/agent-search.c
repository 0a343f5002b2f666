/*
 * agent-search: see agent-search.h. Paths that come back begin with "/work": what the agent may use as
 * they are in every other request.
 */
#include "supervisor/front/tasks/agent-search.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "supervisor/front/gate/work-layer.h"
#include "supervisor/front/tasks/task-commit.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-model.h"

#define ARGS_MAX        10
#define SEARCH_PATH_MAX 4096

static void add_match(const Record *record, void *userdata) {
        AgentCall *call = userdata;
        const char *path = record->data;
        size_t n = strlen(path);
        char whole[SEARCH_PATH_MAX + 2];
        cJSON *match;

        if (record->head.kind == RECORD_DONE && (record->head.flags & 1))
                call->cut = true;
        if (record->head.kind != RECORD_MATCH || n == 0 || n > SEARCH_PATH_MAX)
                return;
        if (call->n++ >= AGENT_MATCHES_MAX) {
                call->cut = true;
                return;
        }
        (void) snprintf(whole, sizeof(whole), "%s%s", path[0] == '/' ? "" : "/", path);
        match = json_push_consume(json_get(call->result, "matches"), cJSON_CreateObject());
        json_add_text(match, "path", whole);
        if (record->head.a > 0) {
                json_add_number(match, "line", record->head.a);
                json_add_text(match, "text", n + 1 < record->head.size ? path + n + 1 : "");
        }
}

static void on_search(const FilesJobEnd *end, void *userdata) {
        AgentCall *call = userdata;

        call->job = NULL;
        if (end->err) {
                agent_call_fail(call, end->refused ? "invalid" : "jail", end->err);
                return;
        }
        json_add_bool(call->result, "cut", call->cut);
        agent_call_answer(call, TAKE_PTR(call->result), NULL, 0);
}

/* The tree that the task's commands see below /work, as far as warder-files may look */
static int tree_plan(Task *task, const cJSON *params, Plan *plan, Error *err) {
        GateLayers layers;
        GateView tree = { .target = VIEW_TREE, .layers = &layers };
        TaskPlace place;
        int r = task_place(task, params, &place, err);

        if (r < 0)
                return r;
        layers = task_place_layers(task, &place, true);
        tree.upper = front_jail_handle(place.jail);
        r = gate_files_plan(task->front, plan, err);
        return r < 0 ? r : gate_view(plan, &tree, err);
}

typedef struct Search {
        const cJSON *params; /* of the request, borrowed like the next */
        const char *const *argv;
        FilesRecordFn record;
        FilesDoneFn done;
} Search;

static int start(AgentCall *call, const Search *search, Error *err) {
        FilesJobSpec job = { .argv = search->argv,
                             .input_fd = -EBADF,
                             .output_fd = -EBADF,
                             .owner_uid = call->task->owner_uid };
        int r;

        r = tree_plan(call->task, search->params, &job.plan, err);
        if (r < 0)
                return r;
        return files_job_start(call->task->front, &job, search->record, search->done, call,
                               &call->job, err);
}

/* "/work/src", "src", NULL -> "work/src", "work"; the rest is for warder-files to refuse */
static void tree_path(const char *path, char *ret, size_t n) {
        if (!path || !*path || strcmp(path, "/work") == 0 || strcmp(path, "/work/") == 0 ||
            strcmp(path, ".") == 0)
                (void) snprintf(ret, n, "work");
        else if (path[0] == '/')
                (void) snprintf(ret, n, "%s", path + 1);
        else
                (void) snprintf(ret, n, "work/%s", path);
}

int agent_search(AgentCall *call, const cJSON *params, Error *err) {
        const char *argv[ARGS_MAX] = { "search", json_text(params, "kind") };
        const char *glob = json_text(params, "glob");
        char path[SEARCH_PATH_MAX];
        unsigned n = 2;

        if (strcmp(argv[1], "grep") == 0) {
                if (glob) {
                        argv[n++] = "--glob";
                        argv[n++] = glob;
                }
                if (json_true(params, "ignore_case"))
                        argv[n++] = "--ignore-case";
        }
        tree_path(json_text(params, "path"), path, sizeof(path));
        argv[n++] = "--"; /* the agent's own words follow: none of them is an option */
        argv[n++] = json_text(params, "pattern");
        argv[n] = path;
        call->result = cJSON_CreateObject();
        if (!json_add_array(call->result, "matches"))
                return error_set(err, -ENOMEM, "search");
        return start(call, &(Search){ params, argv, add_match, on_search }, err);
}

/* ---- task.info ----------------------------------------------------------------------------------- */

static void add_limits(const Task *task, cJSON *json) {
        cJSON *limits = json_add_object(json, "limits");

        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++)
                if (task_has_budget(task, (TaskBudget) i))
                        json_add_number(limits, task_budget_name((TaskBudget) i), task->budget[i]);
        json_add_consume(json, "used", task_used(task));
}

static void add_path(const Record *record, void *userdata) {
        AgentCall *call = userdata;
        autofree char *path = NULL;

        if (record->head.kind != RECORD_MATCH || call->n >= AGENT_TREE_MAX)
                return;
        call->n++;
        path = escape_new(record->data, SEARCH_PATH_MAX);
        if (path && strncmp(path, "work/", 5) == 0)
                json_push_text(json_get(call->result, "tree"), path + 5);
}

static void on_tree(const FilesJobEnd *end, void *userdata) {
        AgentCall *call = userdata;
        Task *task = call->task;
        bool has_transcript = task->model.provider == PROVIDER_REPLAY && task->model.fd >= 0;
        autoclose int journal = -EBADF;
        Error err = ERROR_EMPTY;
        unsigned n_fds = 0;
        int fds[2];

        call->job = NULL;
        if (end->err) {
                agent_call_fail(call, "jail", end->err);
                return;
        }
        if (has_transcript) {
                (void) lseek(task->model.fd, 0, SEEK_SET); /* an earlier agent may have read it */
                fds[n_fds++] = task->model.fd;
        }
        if (task_commits_add_journal(task, call->result, n_fds, &journal, &err) < 0) {
                agent_call_fail(call, NULL, &err);
                return;
        }
        if (journal >= 0)
                fds[n_fds++] = journal;
        agent_call_answer(call, TAKE_PTR(call->result), fds, n_fds);
}

int agent_info(AgentCall *call, const cJSON *params, Error *err) {
        static const char *const argv[] = { "search", "glob", "**", "work", NULL };
        Task *task = call->task;
        cJSON *json = call->result = cJSON_CreateObject();

        json_add_text(json, "task", task->id);
        json_add_text(json, "request", task->request);
        json_add_consume(json, "workflow", cJSON_Duplicate(task->workflow, true));
        json_add_consume(json, "roles", cJSON_Duplicate(task->roles, true));
        json_add_consume(json, "model", task_model_json(task));
        add_limits(task, json);
        if (!json_add_array(json, "tree"))
                return error_set(err, -ENOMEM, "tell the agent its task");
        return start(call, &(Search){ params, argv, add_path, on_tree }, err);
}

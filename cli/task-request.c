/*
 * task-request: the parameters of task.start. What the repository says (.warder/verify.json) is data of
 * the task; what decides about keys, hosts and ceilings comes from the caller's own files and flags.
 */
#include "cli/task-request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/transcript.h"
#include "base/units.h"
#include "base/workflow-parts.h"
#include "cli/held.h"
#include "cli/models.h"
#include "cli/origin.h"
#include "cli/own-policy.h"
#include "cli/user-file.h"
#include "cli/workflow-source.h"

#define REQUEST_MAX     65536
#define TRANSCRIPT_MAX  (64 * 1024 * 1024)
#define REQUEST_DEFAULT "The test suite of this project fails. Find the cause and mend it."

static int add_request(const TaskOptions *options, cJSON *params, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (!options->request || strcmp(options->request, "-") != 0) {
                json_add_text(params, "request",
                              options->request ? options->request : REQUEST_DEFAULT);
                return 0;
        }
        r = fd_read_all(0, REQUEST_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read the request from stdin");
        if (n == 0 || strlen(text) != n) {
                (void) error_say(err, -EINVAL, "The request on stdin is empty, or is no text.");
                return VERB_E_USAGE;
        }
        json_add_text(params, "request", text);
        return 0;
}

/* A name of the shipped ones, or a file: a name has neither slash nor ".json" */
static int add_workflow(const TaskOptions *options, cJSON *params, Error *err) {
        const char *name = options->workflow;
        cJSON *json = NULL;
        int r;

        if (!name || name_is_valid(name)) {
                if (name)
                        json_add_text(params, "workflow", name);
                return 0;
        }
        r = workflow_source_file(name, &json, err);
        if (r == 0)
                json_add_consume(params, "workflow", json);
        return r < 0 && r != -ENOMEM ? VERB_E_USAGE : r; /* the file that was named is none */
}

typedef struct LimitRow {
        const char *name;
        int (*parse)(const char *text, uint64_t *ret, Error *err);
        const char *form;
} LimitRow;

static const LimitRow limit_rows[] = {
        { "verifies", units_parse_number, "a number" },
        { "commands", units_parse_number, "a number" },
        { "calls", units_parse_number, "a number" },
        { "tokens", units_parse_number, "a number" },
        { "wall", units_parse_duration, "a time such as 30m" },
        { "cpu", units_parse_duration, "a time such as 10m" },
        { "output", units_parse_size, "a size such as 10M" },
        { "no_progress", units_parse_number, "a number" },
        { "money", money_parse, "an amount such as 2.50" },
};

static const LimitRow *find_limit(const char *text, size_t n) {
        for (size_t i = 0; i < ELEMENTS(limit_rows); i++)
                if (strlen(limit_rows[i].name) == n && strncmp(text, limit_rows[i].name, n) == 0)
                        return &limit_rows[i];
        return NULL;
}

static int add_limit(cJSON *limits, const char *text, Error *err) {
        const char *equals = strchr(text, '=');
        const LimitRow *row = equals ? find_limit(text, (size_t) (equals - text)) : NULL;
        uint64_t value = 0;

        if (!row) {
                (void) error_say(err, -EINVAL,
                                 "--limit %.60s: give verifies=N, commands=N, calls=N, tokens=N, "
                                 "money=AMOUNT, no_progress=N, wall=TIME, cpu=TIME or "
                                 "output=SIZE.",
                                 text);
                return VERB_E_USAGE;
        }
        if (row->parse(equals + 1, &value, NULL) < 0 || value == 0) {
                (void) error_say(err, -EINVAL,
                                 "--limit %.60s: %s is %s, above 0: the task ends when so much is "
                                 "used up, and with none of it there would be no task.",
                                 text, row->name, row->form);
                return VERB_E_USAGE;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(limits, row->name);
        json_add_number(limits, row->name, value);
        return 0;
}

static int add_limits(const TaskOptions *options, cJSON *params, Error *err) {
        cJSON *limits = options->limits.n > 0 ? json_add_object(params, "limits") : NULL;
        int r = 0;

        for (unsigned i = 0; r == 0 && i < options->limits.n; i++)
                r = add_limit(limits, options->limits.items[i], err);
        return r;
}

/* The agent would find it as well, after jails were made and the base unpacked */
static int check_transcript(const char *name, int fd, Error *err) {
        SCOPED(json_free) cJSON *entries = NULL;
        autofree char *text = NULL;
        size_t n = 0;
        int r = fd_read_all(fd, TRANSCRIPT_MAX, &text, &n);

        if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, r < 0 ? r : -errno, "read %s", name);
        r = json_parse(text, n, JSON_COMMENTS, &entries, err);
        if (r == 0)
                r = transcript_check(entries, err);
        if (r == 0)
                return 0;
        (void) error_add(err, r, "--replay %s", name);
        return VERB_E_USAGE;
}

/* Of the whole workflow, with what it calls. @ret_id: "" where no step asks one */
static int find_model_step(const TaskOptions *options, char *ret_id, size_t size, Error *err) {
        SCOPED(json_free) cJSON *all = NULL;
        const char *id;
        int r = workflow_source_all(options->workflow ? options->workflow : "fix", &all, err);

        if (r < 0)
                return r == -ENOMEM ? r : VERB_E_USAGE;
        id = workflow_parts_model_step(json_get(all, "workflow"));
        (void) snprintf(ret_id, size, "%s", id ? id : "");
        return 0;
}

/* No step would ask it: what stands in its place is a recorded one that says nothing. */
static int add_none(TaskRequest *request, Error *err) {
        request->no_model = true;
        json_add_text(json_add_object(request->params, "model"), "provider", "replay");
        request->model_fd = memfd_sealed("transcript", "[]", 2, false, err);
        return request->model_fd < 0 ? request->model_fd : 0;
}

static int add_replay(const TaskOptions *options, TaskRequest *request, Error *err) {
        int r;

        request->is_replay = true;
        json_add_text(json_add_object(request->params, "model"), "provider", "replay");
        /* the supervisor takes a regular file only */
        r = user_file_spool(options->replay, TRANSCRIPT_MAX, &request->model_fd, err);
        return r < 0 ? r : check_transcript(options->replay, request->model_fd, err);
}

static int add_model(const TaskOptions *options, TaskRequest *request, Error *err) {
        char step[80] = "";
        cJSON *route = NULL;
        int r;

        if (options->replay && options->model) {
                (void) error_say(err, -EINVAL,
                                 "Which model? --model and --replay name two: give one of "
                                 "them.");
                return VERB_E_USAGE;
        }
        if (options->replay)
                return add_replay(options, request, err);
        if (options->model) {
                r = models_find(options->models, options->model, &route, &request->model_fd, err);
                if (r < 0)
                        return r;
                json_add_consume(request->params, "model", route);
                return 0;
        }
        r = find_model_step(options, step, sizeof(step), err);
        if (r != 0)
                return r;
        if (!*step)
                return add_none(request, err);
        (void) error_say(err, -EINVAL,
                         "Which model? Step \"%s\" of the workflow asks one: give --model NAME (of "
                         "models.json), or --replay FILE for a recorded one.",
                         step);
        return VERB_E_USAGE;
}

static void add_place(cJSON *params, const char *member, const char *text, const char *variable) {
        const char *value = text ? text : getenv(variable);

        if (value && *value)
                json_add_text(params, member, value);
}

static int add_held(const TaskOptions *options, TaskRequest *request, cJSON *spec, Error *err) {
        autofree char *dir = NULL;
        int r = held_take(&options->spec, spec, &dir, err);

        if (r < 0 || !dir)
                return r;
        json_add_bool(request->params, "held", true);
        return held_pack(&request->repo, dir, &request->held_fd, err);
}

/* What the base is, for who applies the result later; a tree that git cannot tell of has none */
static void add_origin(TaskRequest *request) {
        Origin origin;
        Error ignored = ERROR_EMPTY;

        if (origin_read(&request->repo.user, request->repo.top, &origin, &ignored) == 0)
                origin_add(&origin, request->params);
}

static int fill(const TaskOptions *options, const char *dir, TaskRequest *request, Error *err) {
        cJSON *spec = NULL;
        int r = workspace_find(dir, NULL, &request->repo, err);

        if (r == 0)
                r = spec_load(&options->spec, &request->repo, false, &spec, err);
        if (r != 0)
                return r;
        r = add_held(options, request, spec, err);
        json_add_consume(request->params, "spec", spec);
        if (r != 0)
                return r;
        add_place(request->params, "snapshot", options->snapshot, "WARDER_SNAPSHOT");
        r = own_policy_choose(options->policy, request->params, err);
        if (r == 0 && options->verify_policy)
                r = own_policy_add(options->verify_policy, request->params, "verify_policy", err);
        if (r == 0)
                r = add_request(options, request->params, err);
        if (r == 0)
                r = add_workflow(options, request->params, err);
        if (r == 0)
                r = add_limits(options, request->params, err);
        if (r == 0)
                r = add_model(options, request, err);
        if (r == 0)
                r = workspace_pack(&request->repo, spec, &request->base_fd, &request->totals, err);
        if (r == 0)
                add_origin(request);
        if (r == 0 && request->totals.files == 0)
                r = error_say(err, -ENOENT,
                              "%s holds no file that is tracked or unignored: there is nothing to "
                              "work on.",
                              request->repo.top);
        return r;
}

int task_request_make(const TaskOptions *options, const char *dir, TaskRequest *ret, Error *err) {
        TaskRequest request = TASK_REQUEST_EMPTY;
        int r;

        request.options = options;
        request.params = cJSON_CreateObject();
        if (!request.params)
                return error_set(err, -ENOMEM, "make the request");
        r = fill(options, dir, &request, err);
        if (r != 0) {
                task_request_deinit(&request);
                return r;
        }
        *ret = request;
        return 0;
}

void task_request_deinit(TaskRequest *request) {
        request->params = json_free(request->params);
        owned_close(&request->base_fd);
        owned_close(&request->model_fd);
        owned_close(&request->held_fd);
        *request = TASK_REQUEST_EMPTY;
}

int task_request_send(TaskRequest *request, Link *link, bool keep, char *ret_task, Error *err) {
        Ask ask = { .method = "task.start",
                    .fds = { request->base_fd, request->model_fd, request->held_fd },
                    .n_fds = request->held_fd >= 0 ? 3 : 2 };
        Answer answer = ANSWER_EMPTY;
        const char *task;
        int r;

        if (keep)
                json_add_bool(request->params, "keep", true);
        ask.params = TAKE_PTR(request->params);
        r = link_ask(link, &ask, &answer, err);
        task = json_text(answer.result, "task");
        if (r == 0 && (!task || !id_is_valid('t', task)))
                r = error_say(err, -EPROTO, "The supervisor named no task.");
        if (r == 0)
                snprintf(ret_task, ID_MAX, "%s", task);
        else if (r == LINK_E_REFUSED && (spec_explain(&request->options->spec, &answer, err) ||
                                         strcmp(answer.code, "invalid") == 0))
                r = VERB_E_USAGE;
        answer_deinit(&answer);
        return r;
}

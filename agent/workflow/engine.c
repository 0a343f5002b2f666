/*
 * engine: values, paths, events, checkpoints.
 *
 * The state of a workflow is one object for all its branches. Expressions see it through a reference that
 * is set anew before each use, since a branch may have changed it meanwhile.
 */
#include "agent/workflow/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define PAUSE_HERE_USEC 60000000u            /* what is longer is waited for without the agent */
#define CHECKPOINT_MAX  (768 * 1024)         /* below the socket's longest line */
#define DEPTH_MAX       (JSON_DEPTH_MAX - 8) /* task.info wraps it in more than a checkpoint does */

/* ---- values -------------------------------------------------------------------------------------- */

cJSON *engine_state(Engine *engine) {
        char key[ENGINE_PATH_MAX];
        cJSON *state;

        (void) snprintf(key, sizeof(key), "%.*s", (int) engine->base, engine->path);
        state = json_get(engine->run->states, key);
        return state ? state : json_add_object(engine->run->states, key);
}

const cJSON *engine_data(Engine *engine) {
        cJSON *view = json_get(engine->data, "state"), *state = engine_state(engine);

        if (view && state)
                view->child = state->child;
        return engine->data;
}

const cJSON *engine_output(const Engine *engine, const char *id) {
        return json_get(json_get(engine->data, "steps"), id);
}

void engine_set_iteration(Engine *engine, unsigned iteration, unsigned of) {
        cJSON *number = json_get(engine->data, "iteration");

        engine->iteration = iteration;
        engine->of = of;
        cJSON_SetNumberValue(number, iteration);
}

int engine_set_item(Engine *engine, const cJSON *item) {
        cJSON *copy = cJSON_Duplicate(item, true);

        if (!copy)
                return -ENOMEM;
        cJSON_DeleteItemFromObjectCaseSensitive(engine->data, "item");
        return json_add_consume(engine->data, "item", copy) ? 0 : -ENOMEM;
}

int engine_fill(Engine *engine, const Template *template, char **ret_text, Error *err) {
        int r = template_fill(template, engine->workflow->expressions, engine_data(engine),
                              ret_text, err);

        return r < 0 ? engine_fail(engine, CAUSE_EXPRESSION, r) : 0;
}

int engine_test(Engine *engine, unsigned condition, bool *ret_holds, Error *err) {
        int r = expressions_test(engine->workflow->expressions, condition, engine_data(engine),
                                 ret_holds, err);

        return r < 0 ? engine_fail(engine, CAUSE_EXPRESSION, r) : 0;
}

int engine_eval(Engine *engine, unsigned expression, cJSON **ret_value, Error *err) {
        int r = expressions_eval(engine->workflow->expressions, expression, engine_data(engine),
                                 ret_value, err);

        return r < 0 ? engine_fail(engine, CAUSE_EXPRESSION, r) : 0;
}

/* ---- failures, calls, events --------------------------------------------------------------------- */

int engine_fail(Engine *engine, Cause cause, int code) {
        if (engine->cause == CAUSE_NONE)
                engine->cause = cause == CAUSE_NONE ? CAUSE_INTERNAL : cause;
        return code;
}

int engine_no_memory(Engine *engine, Error *err) {
        (void) error_set(err, -ENOMEM, "step %s", engine->path);
        return engine_fail(engine, CAUSE_INTERNAL, -ENOMEM);
}

Cause engine_wait_cause(int r) {
        if (r == -ETIMEDOUT)
                return CAUSE_STEP_TIMEOUT;
        if (r == -ECANCELED)
                return CAUSE_ENDED;
        return r == -ECONNRESET ? CAUSE_SUPERVISOR_LOST : CAUSE_INTERNAL;
}

int engine_refused(Engine *engine, const LinkAnswer *answer) {
        return engine_fail(engine, strcmp(answer->code, "limit") == 0 ? CAUSE_LIMIT : CAUSE_REFUSED,
                           -EPROTO);
}

int engine_answered(Engine *engine, int r, const LinkAnswer *answer) {
        if (r < 0)
                return engine_fail(engine, engine_wait_cause(r), r);
        return r == LINK_E_REFUSED ? engine_refused(engine, answer) : 0;
}

int engine_call(Engine *engine, const char *method, cJSON *params_consume, LinkAnswer *ret,
                Error *err) {
        int r = link_call(engine->session->link, method, params_consume, ret, err);

        return engine_answered(engine, r, ret);
}

const char *engine_place(const Engine *engine, char *text) {
        const char *at = engine->path;
        size_t n = 0;

        while (*at) {
                size_t part = strcspn(at, "/"), id = strcspn(at, "/[~");

                if (id > 0) {
                        memcpy(text + n, at, id);
                        n += id;
                        text[n++] = '/';
                }
                at += part;
                at += *at == '/';
        }
        text[n > 0 ? n - 1 : 0] = '\0';
        return text;
}

int engine_event(Engine *engine, const char *event, cJSON *data_consume) {
        char place[ENGINE_PATH_MAX];
        int r;

        if (!data_consume)
                data_consume = cJSON_CreateObject();
        (void) json_add_text(data_consume, "path", engine->path);
        if (engine->of > 0)
                (void) json_add_number(data_consume, "of", engine->of);
        r = session_event(engine->session, event, engine_place(engine, place), engine->iteration,
                          data_consume);
        return r < 0 ? engine_fail(engine, CAUSE_SUPERVISOR_LOST, r) : 0;
}

/* ---- the journal --------------------------------------------------------------------------------- */

static cJSON *memory_of(const Session *session) {
        cJSON *memory = cJSON_CreateObject(), *calls = json_add_object(memory, "calls");

        for (unsigned i = 0; i < session->roles.n; i++)
                if (session->calls_committed[i] > 0)
                        (void) json_add_number(calls, session->roles.items[i]->name,
                                               session->calls_committed[i]);
        return memory;
}

static bool nobody_merges(const void *userdata) {
        const Engine *engine = userdata;

        return !engine->run->merging || engine->run->merging == engine;
}

/* What is saved with a commit is no workspace with half of a merge in it */
static int wait_for_merge(Engine *engine, Error *err) {
        int r = nobody_merges(engine)
                        ? 0
                        : loop_until(engine->session->loop, nobody_merges, engine, err);

        return r < 0 ? engine_fail(engine, engine_wait_cause(r), r) : 0;
}

/* How many values lie in each other. */
static int depth_of(const cJSON *json) {
        const cJSON *item;
        int deepest = 0;

        cJSON_ArrayForEach(item, json) {
                int depth = 1 + depth_of(item);

                if (depth > deepest)
                        deepest = depth;
        }
        return deepest;
}

/* Could the supervisor read it, and whoever reads the journal? A line that nobody reads is never answered. */
static int check_checkpoint(Engine *engine, const cJSON *params, Error *err) {
        autofree char *text = params ? json_print(params) : NULL;

        if (!text)
                return engine_no_memory(engine, err);
        if (strlen(text) <= CHECKPOINT_MAX && depth_of(params) <= DEPTH_MAX)
                return 0;
        (void) error_say(err, -E2BIG,
                         "step %s: its output and the workflow's state are above %d bytes "
                         "together, or nested deeper than %d",
                         engine->path, CHECKPOINT_MAX, DEPTH_MAX);
        return engine_fail(engine, CAUSE_OUTPUT, -E2BIG);
}

static int send_checkpoint(Engine *engine, cJSON *params_consume, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r = check_checkpoint(engine, params_consume, err);

        if (r >= 0)
                return engine_call(engine, "checkpoint", params_consume, &answer, err);
        json_free(params_consume);
        return r;
}

static cJSON *checkpoint_of(const char *path, const cJSON *output) {
        cJSON *params = cJSON_CreateObject();

        (void) json_add_text(params, "path", path);
        if (json_add_consume(params, "output", cJSON_Duplicate(output, true)))
                return params;
        return json_free(params);
}

/* With an instance the states of workflows that ran below it go, of each of its tries. */
static void drop_states(Engine *engine) {
        cJSON *state = engine->run->states ? engine->run->states->child : NULL;
        size_t n = strlen(engine->path);

        while (state) {
                cJSON *next = state->next;
                const char *at = state->string;

                if (strncmp(at, engine->path, n) == 0 && (!at[n] || at[n] == '/' || at[n] == '[')) {
                        cJSON_Delete(cJSON_DetachItemViaPointer(engine->run->states, state));
                        engine->run->state_changed = true;
                }
                state = next;
        }
}

/* What all branches share is taken when it is sent: one that waits would send an older state over a newer one. */
int engine_commit(Engine *engine, const cJSON *output, Error *err) {
        Run *run = engine->run;
        bool state, memory;
        cJSON *params;
        int r = wait_for_merge(engine, err);

        if (r < 0)
                return r;
        drop_states(engine);
        state = run->state_changed;
        memory = run->memory_changed;
        params = checkpoint_of(engine->path, output);
        if (state)
                (void) json_add_consume(params, "state", cJSON_Duplicate(run->states, true));
        if (memory)
                (void) json_add_consume(params, "memory", memory_of(engine->session));
        run->state_changed = run->memory_changed = false;
        r = send_checkpoint(engine, params, err);
        if (r < 0) { /* what it did not bring there goes with the next one */
                run->state_changed |= state;
                run->memory_changed |= memory;
        }
        return r;
}

int engine_begin_effect(Engine *engine, Error *err) {
        int r = wait_for_merge(engine, err);
        cJSON *params;

        if (r < 0)
                return r;
        params = cJSON_CreateObject();
        (void) json_add_text(params, "path", engine->path);
        (void) json_add_bool(params, "begun", true);
        return send_checkpoint(engine, params, err);
}

int engine_note(Engine *engine, const char *name, const cJSON *value, Error *err) {
        char path[ENGINE_PATH_MAX + 16];
        int r = wait_for_merge(engine, err);

        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%s/=%s", engine->path, name);
        return send_checkpoint(engine, checkpoint_of(path, value), err);
}

cJSON *engine_noted(Engine *engine, const char *name) {
        char path[ENGINE_PATH_MAX + 16];

        (void) snprintf(path, sizeof(path), "%s/=%s", engine->path, name);
        return journal_take(engine->run->journal, path);
}

/* Nobody is asked: a moment is waited for, and the agent need not be there */
static int pause_away(Engine *engine, uint64_t usec, Error *err) {
        SCOPED(json_free) cJSON *answer = NULL;
        cJSON *question = cJSON_CreateObject();

        (void) json_add_text(question, "about", "time");
        (void) json_add_number(question, "wait_usec", usec);
        if (!json_add_text(question, "text", "it sleeps until then")) {
                json_free(question);
                return engine_no_memory(engine, err);
        }
        return engine_suspend(engine, question, &answer, err);
}

int engine_pause(Engine *engine, uint64_t usec, Error *err) {
        int r;

        if (usec > PAUSE_HERE_USEC)
                return pause_away(engine, usec, err);
        r = loop_sleep(engine->session->loop, usec, err);
        return r < 0 ? engine_fail(engine, engine_wait_cause(r), r) : 0;
}

void engine_live(Engine *engine, int change) {
        Run *run = engine->run;

        run->live = (unsigned) ((int) run->live + change);
}

void engine_rest(Engine *engine) {
        const Run *run = engine->run;

        if (run->asking > 0 && run->asking == run->live)
                (void) link_notify(engine->session->link, "idle", cJSON_CreateObject());
}

int engine_ask(Engine *engine, cJSON *question_consume, cJSON **ret_answer, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer got = LINK_ANSWER_EMPTY;
        SCOPED(json_free) cJSON *question = question_consume;
        Run *run = engine->run;
        int r;

        run->asking++;
        if (run->asking > LINK_QUESTIONS_MAX) /* it stands in line; what it would say does, too */
                engine_rest(engine);
        if ((run->asking < run->live && !json_add_bool(question, "more", true)) ||
            (engine->fork && !json_get(question, "stay") && /* a fork is not committed */
             !json_add_bool(question, "stay", true)))
                r = engine_no_memory(engine, err);
        else
                r = engine_call(engine, "ask", TAKE_PTR(question), &got, err);
        run->asking--;
        if (r < 0)
                return r;
        *ret_answer = cJSON_Duplicate(got.result, true);
        return *ret_answer ? 0 : engine_no_memory(engine, err);
}

int engine_suspend(Engine *engine, cJSON *question_consume, cJSON **ret_answer, Error *err) {
        SCOPED(json_free) cJSON *question = question_consume;
        const cJSON *answer = journal_answer(engine->run->journal, engine->path);

        if (!answer) {
                if (!json_add_text(question, "path", engine->path))
                        return engine_no_memory(engine, err);
                return engine_ask(engine, TAKE_PTR(question), ret_answer, err);
        }
        *ret_answer = cJSON_Duplicate(answer, true);
        return *ret_answer ? 0 : engine_no_memory(engine, err);
}

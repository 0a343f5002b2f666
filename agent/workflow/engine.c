/*
 * engine: the tree walk. A step's output lands in data.steps under its id; ids are unique in the whole
 * workflow, so that an expression needs no path. In a loop the newest iteration's output stands there.
 */
#include "agent/workflow/engine.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"
#include "base/schema.h"
#include "base/units.h"

#define CHECKPOINT_MAX (768 * 1024) /* below the socket's longest line */

int engine_fail(Engine *engine, Cause cause, int code) {
        return session_fail(engine->session, cause, code);
}

int engine_event(Engine *engine, const char *event, cJSON *data_consume) {
        int r = session_event(engine->session, event, engine->path, engine->iteration,
                              data_consume);

        return r < 0 ? engine_fail(engine, CAUSE_SUPERVISOR_LOST, r) : 0;
}

int engine_fill(Engine *engine, const Template *template, char **ret_text, Error *err) {
        int r = template_fill(template, engine->workflow->expressions, engine->data, ret_text, err);

        return r < 0 ? engine_fail(engine, CAUSE_EXPRESSION, r) : 0;
}

int engine_test(Engine *engine, unsigned condition, bool *ret_holds, Error *err) {
        int r = expressions_test(engine->workflow->expressions, condition, engine->data, ret_holds,
                                 err);

        return r < 0 ? engine_fail(engine, CAUSE_EXPRESSION, r) : 0;
}

int engine_call_failed(Engine *engine, int r, const LinkAnswer *answer) {
        if (r < 0)
                return engine_fail(engine, CAUSE_SUPERVISOR_LOST, r);
        return engine_fail(engine, strcmp(answer->code, "limit") == 0 ? CAUSE_LIMIT : CAUSE_REFUSED,
                           -ECANCELED);
}

static int checkpoint(Engine *engine, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        cJSON *state = json_add_object(params, "state");
        autofree char *text = NULL;
        int r;

        (void) json_add_text(state, "workflow", engine->workflow->name);
        (void) json_add_text(state, "after", engine->path);
        (void) json_add_number(state, "iteration", engine->iteration);
        (void) json_add_consume(state, "data", cJSON_Duplicate(engine->data, true));
        text = json_print(params);
        if (!text || strlen(text) > CHECKPOINT_MAX) {
                json_free(params);
                (void) error_say(err, -E2BIG, "the workflow's state is above %d bytes",
                                 CHECKPOINT_MAX);
                return engine_fail(engine, CAUSE_OUTPUT, -E2BIG);
        }
        r = link_call(engine->session->link, "checkpoint", params, &answer, err);
        return r == 0 ? 0 : engine_call_failed(engine, r, &answer);
}

static int check_output(Engine *engine, const Step *step, const cJSON *output, Error *err) {
        SchemaFault fault = { 0 };

        if (!step->output || schema_check(step->output, output, &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL, "the output of step %s does not fit its schema: %s: %s",
                         engine->path, *fault.path ? fault.path : "the whole", fault.text);
        return engine_fail(engine, CAUSE_OUTPUT, -EINVAL);
}

static int store(Engine *engine, const Step *step, cJSON *output_consume, Error *err) {
        cJSON *steps = json_get(engine->data, "steps");

        cJSON_DeleteItemFromObjectCaseSensitive(steps, step->id);
        if (json_add_consume(steps, step->id, output_consume))
                return 0;
        (void) error_set(err, -ENOMEM, "keep the output of %s", engine->path);
        return engine_fail(engine, CAUSE_INTERNAL, -ENOMEM);
}

static cJSON *end_data(const Step *step, int r, uint64_t started, const Error *err) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_text(data, "kind", step->kind->key);
        (void) json_add_text(data, "state", r < 0 ? "failed" : "done");
        (void) json_add_number(data, "wall_usec", units_monotonic() - started);
        if (r < 0 && err)
                session_text(data, "error", err->text);
        return data;
}

static int run_body(Engine *engine, const Step *step, Error *err) {
        SCOPED(json_free) cJSON *output = NULL;
        int r;

        r = step->kind->run(engine, step, &output, err);
        if (r >= 0)
                r = check_output(engine, step, output, err);
        if (r >= 0)
                r = store(engine, step, TAKE_PTR(output), err);
        return r;
}

static int run_step(Engine *engine, const Step *step, Error *err) {
        size_t outer = strlen(engine->path);
        uint64_t started = units_monotonic();
        cJSON *data = cJSON_CreateObject();
        int r, sent;

        (void) snprintf(engine->path + outer, sizeof(engine->path) - outer, "%s%s",
                        outer ? "/" : "", step->id);
        (void) json_add_text(data, "kind", step->kind->key);
        if (step->role)
                (void) json_add_text(data, "role", step->role->name);
        r = engine_event(engine, "step.start", data);
        if (r >= 0)
                r = run_body(engine, step, err);
        sent = engine_event(engine, "step.end", end_data(step, r, started, err));
        if (r >= 0)
                r = sent;
        if (r >= 0)
                r = checkpoint(engine, err);
        engine->path[outer] = '\0';
        return r;
}

int engine_run_sequence(Engine *engine, const Step *steps, unsigned n, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = run_step(engine, &steps[i], err);
        return r;
}

static int check_input(Engine *engine, const cJSON *input, Error *err) {
        SchemaFault fault = { 0 };

        if (!engine->workflow->input || schema_check(engine->workflow->input, input, &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL, "the input of workflow %s does not fit: %s: %s",
                         engine->workflow->name, *fault.path ? fault.path : "the whole",
                         fault.text);
        return engine_fail(engine, CAUSE_WORKFLOW, -EINVAL);
}

static cJSON *new_data(const cJSON *input) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_consume(data, "input", cJSON_Duplicate(input, true));
        (void) json_add_object(data, "state");
        (void) json_add_object(data, "steps");
        (void) json_add_number(data, "iteration", 0);
        if (!json_add_consume(data, "item", cJSON_CreateNull()))
                return json_free(data);
        return data;
}

int engine_run(Session *session, const Workflow *workflow, const cJSON *input, Error *err) {
        SCOPED(json_free) cJSON *data = new_data(input);
        Engine engine = { .session = session, .workflow = workflow, .data = data };
        int r;

        if (!data) {
                (void) error_set(err, -ENOMEM, "start workflow %s", workflow->name);
                return session_fail(session, CAUSE_INTERNAL, -ENOMEM);
        }
        r = check_input(&engine, input, err);
        return r < 0 ? r : engine_run_sequence(&engine, workflow->steps, workflow->n_steps, err);
}

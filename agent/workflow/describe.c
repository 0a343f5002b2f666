/*
 * describe: what a step's kind says of itself is the value of its key; limits and conditions are notes.
 */
#include "agent/workflow/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/workflow/call-step.h"
#include "agent/workflow/kinds.h"
#include "base/buf.h"

#define TEXT_MAX 400

static cJSON *describe_steps(const Workflow *workflow, const Step *steps, unsigned n);

/* "make check", ["npm", "test"] as "npm test", {"a": "…"} as "a: …" */
static void add_value(Buf *buf, const cJSON *value) {
        const cJSON *item;

        if (cJSON_IsString(value)) {
                (void) buf_printf(buf, "%s", value->valuestring);
                return;
        }
        cJSON_ArrayForEach(item, value) {
                if (!cJSON_IsString(item))
                        return; /* inner steps: they are drawn */
                if (item->string)
                        (void) buf_printf(buf, "%s%s: %s", item != value->child ? ", " : "",
                                          item->string, item->valuestring);
                else
                        (void) buf_printf(buf, "%s%s", item != value->child ? " " : "",
                                          item->valuestring);
        }
}

static void add_text(cJSON *json, const Step *step) {
        Buf buf = BUF_EMPTY(TEXT_MAX); /* what is longer is cut */

        add_value(&buf, json_get(step->json, step->kind->key));
        (void) json_add_text(json, "text", buf.data ? buf.data : "");
        buf_deinit(&buf);
}

static void add_note(cJSON *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_note(cJSON *notes, const char *format, ...) {
        char text[TEXT_MAX];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        (void) json_push_text(notes, text);
}

static void add_notes(cJSON *json, const Step *step) {
        cJSON *notes = json_add_array(json, "notes");
        const cJSON *item;

        if (json_get(step->json, "max_iterations"))
                add_note(notes, "at most %u times", step->max_iterations);
        if (json_get(step->json, "max_items"))
                add_note(notes, "at most %u items", step->max_iterations);
        if (step->concurrency > 1)
                add_note(notes, "%u at once", step->concurrency);
        if (json_text(step->json, "mode"))
                add_note(notes, "every arm that holds");
        if (json_text(step->json, "timeout"))
                add_note(notes, "time limit %.32s", json_text(step->json, "timeout"));
        if (step->retries > 0)
                add_note(notes, "%u further tries", step->retries);
        if (json_text(step->json, "require"))
                add_note(notes, "requires %.200s", json_text(step->json, "require"));
        cJSON_ArrayForEach(item, json_get(step->json, "set")) {
                add_note(notes, "sets %.64s", item->string);
        }
        if (step->outside)
                add_note(notes, "effects outside");
}

/* What the lists of a step are for that no condition tells apart. */
static const char *arm_name(const Step *step, unsigned arm) {
        static const char *const split[] = { "each item, in a fork", "where it conflicts" };

        if (strcmp(step->kind->key, "split") != 0 || arm >= ELEMENTS(split))
                return NULL;
        return split[arm];
}

static void add_arms(cJSON *json, const Workflow *workflow, const Step *step) {
        cJSON *arms = json_add_array(json, "arms");

        for (unsigned i = 0; i < step->n_arms; i++) {
                const StepArm *arm = &step->arms[i];
                cJSON *item = json_push_consume(arms, cJSON_CreateObject());

                if (arm->condition != EXPRESSION_NONE)
                        (void) json_add_text(
                                item, "text",
                                expressions_text(workflow->expressions, arm->condition));
                if (arm_name(step, i))
                        (void) json_add_text(item, "name", arm_name(step, i));
                (void) json_add_consume(item, "steps",
                                        describe_steps(workflow, &step->steps[arm->first], arm->n));
        }
        if (step->kind->at_once)
                (void) json_add_bool(json, "beside", true);
}

static cJSON *describe_step(const Workflow *workflow, const Step *step) {
        const Workflow *called = call_step_called(step);
        cJSON *json = cJSON_CreateObject();

        (void) json_add_text(json, "id", step->id);
        (void) json_add_text(json, "kind", step->kind->key);
        add_text(json, step);
        add_notes(json, step);
        if (step->n_arms > 0)
                add_arms(json, workflow, step);
        else if (step->n_steps > 0)
                (void) json_add_consume(json, "steps",
                                        describe_steps(workflow, step->steps, step->n_steps));
        if (called)
                (void) json_add_consume(json, "calls", describe_workflow(called));
        return json;
}

static cJSON *describe_steps(const Workflow *workflow, const Step *steps, unsigned n) {
        cJSON *list = cJSON_CreateArray();

        for (unsigned i = 0; i < n; i++)
                (void) json_push_consume(list, describe_step(workflow, &steps[i]));
        return list;
}

cJSON *describe_workflow(const Workflow *workflow) {
        cJSON *json = cJSON_CreateObject();

        (void) json_add_text(json, "name", workflow->name);
        if (workflow->description)
                (void) json_add_text(json, "description", workflow->description);
        (void) json_add_consume(json, "steps",
                                describe_steps(workflow, workflow->steps, workflow->n_steps));
        if (workflow->n_finally > 0)
                (void) json_add_consume(
                        json, "finally",
                        describe_steps(workflow, workflow->finally, workflow->n_finally));
        return json;
}

/*
 * outputs: see outputs.h.
 */
#include "agent/workflow/outputs.h"

#include <string.h>

#include "agent/workflow/kinds.h"
#include "base/schema.h"

int outputs_check(Engine *engine, const Step *step, const cJSON *output, Error *err) {
        SchemaFault fault = { 0 };

        if (!step->output || schema_check(step->output, output, &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL, "the output of step %s does not fit its schema: %s: %s",
                         engine->path, *fault.path ? fault.path : "the whole", fault.text);
        return engine_fail(engine, CAUSE_OUTPUT, -EINVAL);
}

int outputs_store(Engine *engine, const char *id, cJSON *output_consume, Error *err) {
        cJSON *steps = json_get(engine->data, "steps");

        cJSON_DeleteItemFromObjectCaseSensitive(steps, id);
        if (json_add_consume(steps, id, output_consume))
                return 0;
        return engine_no_memory(engine, err);
}

static cJSON *add_inner(const Engine *engine, const Step *steps, unsigned n, cJSON *to) {
        for (unsigned i = 0; i < n && to; i++) {
                const cJSON *output = engine_output(engine, steps[i].id);

                if (output && !json_add_consume(to, steps[i].id, cJSON_Duplicate(output, true)))
                        return NULL;
                if (steps[i].kind->scope == KIND_SHOWS &&
                    !add_inner(engine, steps[i].steps, steps[i].n_steps, to))
                        return NULL;
        }
        return to;
}

cJSON *outputs_before(const Engine *engine, const Step *step) {
        SCOPED(json_free) cJSON *before = cJSON_CreateObject();
        const cJSON *output = engine_output(engine, step->id);

        if (output && !json_add_consume(before, step->id, cJSON_Duplicate(output, true)))
                return NULL;
        return add_inner(engine, step->steps, step->n_steps, before) ? TAKE_PTR(before) : NULL;
}

static void forget(Engine *engine, const Step *steps, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                cJSON_DeleteItemFromObjectCaseSensitive(json_get(engine->data, "steps"),
                                                        steps[i].id);
                if (steps[i].kind->scope == KIND_SHOWS)
                        forget(engine, steps[i].steps, steps[i].n_steps);
        }
}

int outputs_take_back(Engine *engine, const Step *step, const cJSON *before, Error *err) {
        const cJSON *output;
        int r = 0;

        forget(engine, step, 1);
        cJSON_ArrayForEach(output, before) {
                if (r >= 0)
                        r = outputs_store(engine, output->string, cJSON_Duplicate(output, true),
                                          err);
        }
        return r;
}

cJSON *outputs_pack(const Engine *engine, const Step *step, const cJSON *output) {
        SCOPED(json_free) cJSON *packed = cJSON_CreateObject();

        (void) json_add_consume(packed, "output", cJSON_Duplicate(output, true));
        if (!add_inner(engine, step->steps, step->n_steps, json_add_object(packed, "steps")))
                return NULL;
        return TAKE_PTR(packed);
}

int outputs_unpack(Engine *engine, cJSON *packed, cJSON **ret_output, Error *err) {
        cJSON *steps = json_get(packed, "steps");

        while (steps && steps->child) {
                autofree char *id = strdup(steps->child->string);
                int r = id ? outputs_store(engine, id,
                                           cJSON_DetachItemViaPointer(steps, steps->child), err)
                           : engine_no_memory(engine, err);

                if (r < 0)
                        return r;
        }
        *ret_output = cJSON_DetachItemFromObjectCaseSensitive(packed, "output");
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

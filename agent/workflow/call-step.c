/*
 * call-step: the called workflow comes from the library that the task's workflow carries ("workflows"); the
 * command puts those in that are named. Without "with" it gets the caller's input.
 */
#include "agent/workflow/call-step.h"

#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/run.h"

typedef struct Call {
        Workflow *workflow; /* owned */
        Mapping *with;      /* owned; NULL: the caller's input */
} Call;

void call_step_unload(Step *step) {
        Call *call = step->own;

        if (call) {
                workflow_free(call->workflow);
                mapping_free(call->with);
        }
        free(call);
        step->own = NULL;
}

const Workflow *call_step_called(const Step *step) {
        const Call *call = step->own;

        return step->kind->run == call_step_run && call ? call->workflow : NULL;
}

const Mapping *call_step_with(const Step *step) {
        return call_step_called(step) ? ((const Call *) step->own)->with : NULL;
}

int call_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const char *name = json_text(json, "workflow");
        Call *call = calloc(1, sizeof(*call));
        int r;

        if (!call)
                return error_set(err, -ENOMEM, "%s", path);
        step->own = call;
        if (!name)
                return workflow_fault(err, path, "workflow", "the name of a workflow is needed");
        r = json_get(json, "with") ? mapping_new(loader, json, "with", path, &call->with, err) : 0;
        return r < 0 ? r : workflow_load_called(loader, name, path, &call->workflow, err);
}

int call_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        const Call *call = step->own;
        SCOPED(json_free) cJSON *input = NULL;
        int r = 0;

        if (call->with)
                r = mapping_eval(engine, call->with, &input, err);
        else
                input = cJSON_Duplicate(json_get(engine->data, "input"), true);
        if (r < 0)
                return r;
        if (!input)
                return engine_no_memory(engine, err);
        return run_called(engine, call->workflow, input, ret_output, err);
}

/*
 * verify-step: one call.
 */
#include "agent/workflow/verify-step.h"

int verify_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const cJSON *verify = json_get(json, "verify");

        (void) loader;
        (void) step;
        if (!cJSON_IsObject(verify) || verify->child)
                return workflow_fault(err, path, "verify",
                                      "{} is needed: the task's verify spec says what is run");
        return 0;
}

int verify_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r;

        (void) step;
        r = link_call(engine->session->link, "verify", NULL, &answer, err);
        if (r != 0)
                return engine_call_failed(engine, r, &answer);
        *ret_output = cJSON_Duplicate(answer.result, true);
        if (*ret_output)
                return 0;
        (void) error_set(err, -ENOMEM, "step %s", engine->path);
        return engine_fail(engine, CAUSE_INTERNAL, -ENOMEM);
}

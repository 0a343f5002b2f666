/*
 * verify-step: one call.
 */
#include "agent/workflow/verify-step.h"

#include "agent/workflow/claims.h"

int verify_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const cJSON *verify = json_get(json, "verify");

        (void) loader;
        (void) step;
        if (!cJSON_IsObject(verify) || verify->child)
                return workflow_fault(err, path, "verify",
                                      "{} is needed: the task's verify spec says what is run");
        return 0;
}

static bool nobody_verifies(const void *userdata) {
        const Run *run = userdata;

        return !run->verifying;
}

/* Branches that verify at once wait for each other: the supervisor makes one verdict at a time. */
static int call_verify(Engine *engine, LinkAnswer *answer, Error *err) {
        Run *run = engine->run;
        int r = loop_until(engine->session->loop, nobody_verifies, run, err);
        cJSON *params;

        if (r < 0)
                return engine_fail(engine, engine_wait_cause(r), r);
        params = cJSON_CreateObject();
        (void) json_add_text(params, "path", engine->path);
        if (engine->fork > 0)
                (void) json_add_number(params, "fork", engine->fork);
        run->verifying = true;
        r = engine_call(engine, "verify", params, answer, err);
        run->verifying = false;
        return r;
}

int verify_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r;

        (void) step;
        r = call_verify(engine, &answer, err);
        if (r < 0)
                return r;
        claims_forget(engine->session);
        *ret_output = cJSON_Duplicate(answer.result, true);
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

/*
 * verify-step: one call.
 */
#include "agent/workflow/verify-step.h"

#include "agent/workflow/claims.h"

#define VERIFY_AGAIN_USEC 200000u

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

static int call_verify(Engine *engine, LinkAnswer *answer, Error *err) {
        cJSON *params = cJSON_CreateObject();
        Run *run = engine->run;
        int r;

        (void) json_add_text(params, "path", engine->path);
        if (engine->fork > 0)
                (void) json_add_number(params, "fork", engine->fork);
        run->verifying = true;
        r = link_call(engine->session->link, "verify", params, answer, err);
        run->verifying = false;
        return r;
}

/*
 * Branches that verify at once wait for each other: the supervisor makes one verdict at a time. One that nobody here
 * waits for any more, because its step was ended, is waited for too.
 */
static int take_verdict(Engine *engine, LinkAnswer *answer, Error *err) {
        for (;;) {
                int r = loop_until(engine->session->loop, nobody_verifies, engine->run, err);

                if (r < 0)
                        return engine_fail(engine, engine_wait_cause(r), r);
                r = call_verify(engine, answer, err);
                if (!link_is_busy(r, answer))
                        return engine_answered(engine, r, answer);
                link_answer_deinit(answer);
                r = engine_pause(engine, VERIFY_AGAIN_USEC, err);
                if (r < 0)
                        return r;
        }
}

int verify_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        int r;

        (void) step;
        r = take_verdict(engine, &answer, err);
        if (r < 0)
                return r;
        claims_forget(engine->session);
        *ret_output = cJSON_Duplicate(answer.result, true);
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

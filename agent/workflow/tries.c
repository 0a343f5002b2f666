/*
 * tries: see tries.h.
 */
#include "agent/workflow/tries.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/call-step.h"
#include "agent/workflow/kinds.h"
#include "agent/workflow/outputs.h"
#include "base/schema.h"
#include "base/units.h"

#define RETRY_WAIT_DOUBLINGS 10

/* ---- state --------------------------------------------------------------------------------------- */

static int check_state(Engine *engine, Error *err) {
        SchemaFault fault = { 0 };

        if (!engine->workflow->state ||
            schema_check(engine->workflow->state, engine_state(engine), &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL,
                         "the state that step %s sets does not fit its schema: %s: %s",
                         engine->path, *fault.path ? fault.path : "the whole", fault.text);
        return engine_fail(engine, CAUSE_OUTPUT, -EINVAL);
}

/* Each sees what those before it have set. */
static int make_sets(Engine *engine, const Step *step, cJSON *state, Error *err) {
        for (unsigned i = 0; i < step->n_sets; i++) {
                cJSON *value = NULL;
                int r = engine_eval(engine, step->sets[i].expression, &value, err);

                if (r < 0)
                        return r;
                cJSON_DeleteItemFromObjectCaseSensitive(state, step->sets[i].name);
                if (!json_add_consume(state, step->sets[i].name, value))
                        return engine_no_memory(engine, err);
        }
        return check_state(engine, err);
}

/* All of them or none: a failed try leaves nothing that the next one, in this life or another, would see. */
static int set_state(Engine *engine, const Step *step, Error *err) {
        cJSON *state = engine_state(engine), *made;
        SCOPED(json_free) cJSON *before = NULL;
        int r;

        if (step->n_sets == 0)
                return 0;
        before = cJSON_Duplicate(state, true);
        if (!before)
                return engine_no_memory(engine, err);
        r = make_sets(engine, step, state, err);
        engine->run->state_changed |= r >= 0;
        if (r >= 0)
                return 0;
        made = state->child;
        state->child = before->child;
        before->child = made;
        return r;
}

static int check_requirement(Engine *engine, const Step *step, Error *err) {
        bool holds = false;
        int r;

        if (step->require == EXPRESSION_NONE)
                return 0;
        r = engine_test(engine, step->require, &holds, err);
        if (r < 0 || holds)
                return r;
        (void) error_say(err, -ECANCELED, "step %s requires `%.200s`, which does not hold",
                         engine->path, json_text(step->json, "require"));
        return engine_fail(engine, CAUSE_REQUIREMENT, -ECANCELED);
}

/* ---- one try ------------------------------------------------------------------------------------- */

static int run_body(Engine *engine, const Step *step, Error *err) {
        SCOPED(json_free) cJSON *output = NULL;
        int r;

        r = step->kind->run(engine, step, &output, err);
        if (r >= 0)
                r = outputs_check(engine, step, output, err);
        if (r >= 0)
                r = outputs_store(engine, step->id, TAKE_PTR(output), err);
        if (r >= 0)
                r = check_requirement(engine, step, err);
        return r < 0 ? r : set_state(engine, step, err);
}

/* Within the step's time limit, which ends whatever it waits for. */
static int run_try(Engine *engine, const Step *step, Error *err) {
        Loop *loop = engine->session->loop;
        uint64_t outer, own;
        char limit[UNITS_TEXT_MAX];
        int r;

        if (step->timeout_usec == 0 || step->kind->own_timeout)
                return run_body(engine, step, err);
        own = units_monotonic() + step->timeout_usec;
        outer = loop_limit(loop, own);
        (void) loop_limit(loop, own < outer ? own : outer);
        r = run_body(engine, step, err);
        (void) loop_limit(loop, outer);
        if (r >= 0 || own >= outer || units_monotonic() < own)
                return r;
        engine->cause = CAUSE_STEP_TIMEOUT;
        return error_say(err, -ETIMEDOUT, "step %s: its time limit of %s has passed", engine->path,
                         units_format_duration(step->timeout_usec, limit));
}

/* ---- tries --------------------------------------------------------------------------------------- */

/* A failure that another try cannot mend, or that is not the step's. */
static bool is_final(const Engine *engine) {
        static const Cause finals[] = {
                CAUSE_LIMIT,       CAUSE_SUPERVISOR_LOST, CAUSE_INTERNAL,        CAUSE_ENDED,
                CAUSE_GIVEN_UP,    CAUSE_EXPRESSION,      CAUSE_REPLAY_MISMATCH, CAUSE_SAME_CALL,
                CAUSE_ALTERNATING, CAUSE_NO_EDIT,         CAUSE_CLAIMS,          CAUSE_REJECTED
        };

        for (unsigned i = 0; i < ELEMENTS(finals); i++)
                if (engine->cause == finals[i])
                        return true;
        return engine->run->torn || loop_left(engine->session->loop) == 0;
}

static int say_retry(Engine *engine, const Step *step, unsigned number, uint64_t wait,
                     const Error *err) {
        cJSON *data = cJSON_CreateObject();
        char text[ERROR_TEXT_MAX + 128], shown[UNITS_TEXT_MAX];

        (void) snprintf(text, sizeof(text), "%s; try %u of %u in %s", err ? err->text : "it failed",
                        number + 1, step->retries + 1, units_format_duration(wait, shown));
        session_text(data, "text", text);
        return engine_event(engine, "notice", data);
}

/* Note that try @number is next, so that a resumed run counts on, and wait. */
static int prepare_retry(Engine *engine, const Step *step, unsigned number, Error *err) {
        unsigned doublings = number - 1 < RETRY_WAIT_DOUBLINGS ? number - 1 : RETRY_WAIT_DOUBLINGS;
        uint64_t wait = step->retry_wait_usec << doublings;
        SCOPED(json_free) cJSON *count = cJSON_CreateNumber(number);
        int r;

        r = say_retry(engine, step, number, wait, err);
        if (r < 0)
                return r;
        engine->cause = CAUSE_NONE;
        if (err)
                *err = ERROR_EMPTY;
        r = engine_note(engine, "try", count, err);
        if (r < 0 || wait == 0)
                return r;
        r = loop_sleep(engine->session->loop, wait, err);
        return r < 0 ? engine_fail(engine, engine_wait_cause(r), r) : 0;
}

/*
 * What lies below a further try has paths of its own: what the failed one committed is not taken for it, in this
 * life or the next.
 */
static int run_numbered(Engine *engine, const Step *step, unsigned number, Error *err) {
        size_t n = strlen(engine->path);
        int r;

        if (number > 0 && !step->kind->goes_on && (step->n_steps > 0 || call_step_called(step)))
                (void) snprintf(engine->path + n, sizeof(engine->path) - n, "/~%u", number);
        r = run_try(engine, step, err);
        engine->path[n] = '\0';
        return r;
}

int tries_run(Engine *engine, const Step *step, Error *err) {
        SCOPED(json_free) cJSON *noted = step->retries > 0 ? engine_noted(engine, "try") : NULL;
        SCOPED(json_free)
        cJSON *before = step->retries > 0 ? outputs_before(engine, step) : NULL;
        unsigned number = noted && cJSON_IsNumber(noted) && noted->valueint > 0
                                  ? (unsigned) noted->valueint
                                  : 0;
        int r;

        for (;; number++) {
                r = run_numbered(engine, step, number, err);
                if (r >= 0 || number >= step->retries || is_final(engine))
                        return r;
                r = prepare_retry(engine, step, number + 1, err);
                if (r >=
                    0) /* in another life the next try would see none of it: it was not committed */
                        r = outputs_take_back(engine, step, before, err);
                if (r < 0)
                        return r;
        }
}

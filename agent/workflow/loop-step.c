/*
 * loop-step: one body for both loops; they differ in which answer of the condition ends them.
 */
#include "agent/workflow/loop-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/outputs.h"
#include "agent/workflow/walk.h"

int loop_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        static const unsigned range[] = { 1, WORKFLOW_ITERATIONS_MAX };
        char inner[WORKFLOW_PATH_MAX];
        int r;

        r = loader_expression(loader, json, step->kind->key, path, err);
        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        if (!json_get(json, "max_iterations"))
                return workflow_fault(err, path, "max_iterations",
                                      "every loop needs a limit, such as 5");
        r = loader_count(json, "max_iterations", path, range, &step->max_iterations, err);
        if (r < 0)
                return r;
        (void) snprintf(inner, sizeof(inner), "%s/steps", path);
        return loader_sequence(loader, json_get(json, "steps"), inner, step, err);
}

static int exhausted(Engine *engine, const Step *step, Error *err) {
        (void) error_say(err, -ECANCELED,
                         "the loop %s ended after %u iterations (max_iterations) and its condition "
                         "was still not met",
                         engine->path, step->max_iterations);
        return engine_fail(engine, CAUSE_MAX_ITERATIONS, -ECANCELED);
}

/* Run the inner steps, look at the condition, and commit both: a resumed run decides as this one did. */
static int run_iteration(Engine *engine, const Step *step, bool *ret_holds, Error *err) {
        SCOPED(json_free) cJSON *packed = NULL, *holds = NULL;
        int r;

        r = walk_sequence(engine, step->steps, step->n_steps, err);
        if (r >= 0)
                r = engine_test(engine, step->condition, ret_holds, err);
        if (r < 0)
                return r;
        holds = cJSON_CreateBool(*ret_holds);
        packed = holds ? outputs_pack(engine, step, holds) : NULL;
        return packed ? engine_commit(engine, packed, err) : engine_no_memory(engine, err);
}

static int take_iteration(Engine *engine, cJSON *committed_consume, bool *ret_holds, Error *err) {
        SCOPED(json_free) cJSON *committed = committed_consume, *holds = NULL;
        int r = outputs_unpack(engine, committed, &holds, err);

        *ret_holds = cJSON_IsTrue(holds);
        return r;
}

static int one_iteration(Engine *engine, const Step *step, unsigned i, bool *ret_holds,
                         Error *err) {
        size_t n = strlen(engine->path);
        cJSON *committed;
        int r;

        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "[%u]", i);
        engine_set_iteration(engine, i, step->max_iterations);
        committed = journal_take(engine->run->journal, engine->path);
        r = committed ? take_iteration(engine, committed, ret_holds, err)
                      : run_iteration(engine, step, ret_holds, err);
        engine->path[n] = '\0';
        return r;
}

static int iterate(Engine *engine, const Step *step, bool stop_on, unsigned *ret_n, Error *err) {
        for (unsigned i = 1; i <= step->max_iterations; i++) {
                bool holds = false;
                int r = one_iteration(engine, step, i, &holds, err);

                if (r < 0)
                        return r;
                *ret_n = i;
                if (holds == stop_on)
                        return 0;
        }
        return exhausted(engine, step, err);
}

static int run_loop(Engine *engine, const Step *step, bool stop_on, cJSON **ret_output,
                    Error *err) {
        unsigned outer = engine->iteration, of = engine->of, n = 0;
        int r;

        r = iterate(engine, step, stop_on, &n, err);
        engine_set_iteration(engine, outer, of);
        if (r < 0)
                return r;
        *ret_output = cJSON_CreateObject();
        return json_add_number(*ret_output, "iterations", n) ? 0 : engine_no_memory(engine, err);
}

int dountil_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        return run_loop(engine, step, true, ret_output, err);
}

int dowhile_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        return run_loop(engine, step, false, ret_output, err);
}

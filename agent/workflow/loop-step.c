/*
 * loop-step: one body for both loops; they differ in which answer of the condition ends them.
 */
#include "agent/workflow/loop-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"

int loop_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const char *key = step->kind->key, *condition = json_text(json, key);
        char inner[WORKFLOW_PATH_MAX];
        uint64_t iterations = 0;
        int r;

        if (!condition)
                return workflow_fault(err, path, key, "a condition is needed, a string of jq");
        r = json_number(json, "max_iterations", &iterations);
        if (r == -ENOENT)
                return workflow_fault(err, path, "max_iterations",
                                      "every loop needs a limit, such as 5");
        if (r < 0 || iterations < 1 || iterations > WORKFLOW_ITERATIONS_MAX)
                return workflow_fault(err, path, "max_iterations",
                                      "a number from 1 to %d is needed", WORKFLOW_ITERATIONS_MAX);
        step->max_iterations = (unsigned) iterations;
        (void) snprintf(inner, sizeof(inner), "%s/%s", path, key);
        r = expressions_add(loader->workflow->expressions, condition, strlen(condition), inner,
                            err);
        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        (void) snprintf(inner, sizeof(inner), "%s/steps", path);
        return workflow_load_sequence(loader, json_get(json, "steps"), inner, step, err);
}

static void set_iteration(Engine *engine, unsigned iteration) {
        cJSON *number = json_get(engine->data, "iteration");

        engine->iteration = iteration;
        cJSON_SetNumberValue(number, iteration);
}

static int exhausted(Engine *engine, const Step *step, Error *err) {
        (void) error_say(err, -ECANCELED,
                         "the loop %s ended after %u iterations (max_iterations) and its condition "
                         "was still not met",
                         engine->path, step->max_iterations);
        return engine_fail(engine, CAUSE_MAX_ITERATIONS, -ECANCELED);
}

static int iterate(Engine *engine, const Step *step, bool stop_on, unsigned *ret_n, Error *err) {
        for (unsigned i = 1; i <= step->max_iterations; i++) {
                bool holds = false;
                int r;

                set_iteration(engine, i);
                r = engine_run_sequence(engine, step->steps, step->n_steps, err);
                if (r >= 0)
                        r = engine_test(engine, step->condition, &holds, err);
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
        unsigned outer = engine->iteration, n = 0;
        int r;

        r = iterate(engine, step, stop_on, &n, err);
        set_iteration(engine, outer);
        if (r < 0)
                return r;
        *ret_output = cJSON_CreateObject();
        if (json_add_number(*ret_output, "iterations", n))
                return 0;
        (void) error_set(err, -ENOMEM, "step %s", engine->path);
        return engine_fail(engine, CAUSE_INTERNAL, -ENOMEM);
}

int dountil_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        return run_loop(engine, step, true, ret_output, err);
}

int dowhile_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        return run_loop(engine, step, false, ret_output, err);
}

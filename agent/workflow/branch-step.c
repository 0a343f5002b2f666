/*
 * branch-step: all conditions that matter are looked at before the first arm runs, and what they said is
 * noted: an arm that changes the state does not change the choice, in this life or the next. With mode all
 * the arms run one after the other, in their order.
 */
#include "agent/workflow/branch-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/loader.h"
#include "agent/workflow/walk.h"

#define ARMS_MAX 64

static bool takes_all(const Step *step) {
        return json_get(step->json, "mode") != NULL;
}

static int check_arm(const cJSON *arm, const char *path, bool last, Error *err) {
        const cJSON *item;

        if (!cJSON_IsObject(arm))
                return workflow_fault(err, path, "",
                                      "{\"when\": condition, \"steps\": […]} is needed");
        cJSON_ArrayForEach(item, arm) {
                if (strcmp(item->string, "when") != 0 && strcmp(item->string, "steps") != 0)
                        return workflow_fault(err, path, item->string, "an arm has no such key");
        }
        if (!json_get(arm, "when") && !last)
                return workflow_fault(err, path, "when",
                                      "only the last arm may do without a condition: those behind "
                                      "it are never reached");
        return 0;
}

static int load_arm(Loader *loader, const cJSON *arm, const char *path, Step *step, Error *err) {
        unsigned first = step->n_steps, condition = EXPRESSION_NONE;
        char inner[WORKFLOW_PATH_MAX + 8];
        int r;

        if (json_get(arm, "when")) {
                r = loader_expression(loader, arm, "when", path, err);
                if (r < 0)
                        return r;
                condition = (unsigned) r;
        }
        (void) snprintf(inner, sizeof(inner), "%s/steps", path);
        r = loader_sequence(loader, json_get(arm, "steps"), inner, step, err);
        return r < 0 ? r : loader_add_arm(step, first, condition, err);
}

int branch_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const cJSON *arms = json_get(json, "branch"), *mode = json_get(json, "mode"), *arm;
        int n = cJSON_GetArraySize(arms), i = 0, r = 0;

        if (!cJSON_IsArray(arms) || n < 1 || n > ARMS_MAX)
                return workflow_fault(err, path, "branch", "a list of 1 to %d arms is needed",
                                      ARMS_MAX);
        if (mode && (!json_text(json, "mode") || strcmp(json_text(json, "mode"), "all") != 0))
                return workflow_fault(err, path, "mode", "\"all\" is all it may be");
        cJSON_ArrayForEach(arm, arms) {
                char inner[WORKFLOW_PATH_MAX];

                (void) snprintf(inner, sizeof(inner), "%s/branch/%d", path, i++);
                r = check_arm(arm, inner, i == n, err);
                if (r >= 0)
                        r = load_arm(loader, arm, inner, step, err);
                if (r < 0)
                        return r;
        }
        return r;
}

/* The numbers of the arms that run. Without a condition an arm runs where no other did. */
static int choose(Engine *engine, const Step *step, cJSON *taken, Error *err) {
        for (unsigned i = 0; i < step->n_arms; i++) {
                bool holds = cJSON_GetArraySize(taken) == 0;

                if (step->arms[i].condition != EXPRESSION_NONE) {
                        int r = engine_test(engine, step->arms[i].condition, &holds, err);

                        if (r < 0)
                                return r;
                }
                if (holds && !json_push_consume(taken, cJSON_CreateNumber(i)))
                        return engine_no_memory(engine, err);
                if (holds && !takes_all(step))
                        return 0;
        }
        return 0;
}

static int take_choice(Engine *engine, const Step *step, cJSON **ret_taken, Error *err) {
        SCOPED(json_free) cJSON *taken = engine_noted(engine, "taken");
        int r = 0;

        if (!cJSON_IsArray(taken)) {
                json_free(taken);
                taken = cJSON_CreateArray();
                r = taken ? choose(engine, step, taken, err) : engine_no_memory(engine, err);
                if (r >= 0)
                        r = engine_note(engine, "taken", taken, err);
        }
        if (r >= 0)
                *ret_taken = TAKE_PTR(taken);
        return r;
}

static int run_arm(Engine *engine, const Step *step, unsigned number, cJSON *outputs, Error *err) {
        const StepArm *arm = &step->arms[number];
        const cJSON *output;
        int r;

        r = walk_sequence(engine, &step->steps[arm->first], arm->n, err);
        if (r < 0)
                return r;
        output = engine_output(engine, step->steps[arm->first + arm->n - 1].id);
        return json_push_consume(outputs, cJSON_Duplicate(output, true))
                       ? 0
                       : engine_no_memory(engine, err);
}

int branch_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(json_free) cJSON *taken = NULL, *outputs = cJSON_CreateArray();
        const cJSON *number;
        int r;

        r = take_choice(engine, step, &taken, err);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(number, taken) {
                if (!cJSON_IsNumber(number) || number->valueint < 0 ||
                    (unsigned) number->valueint >= step->n_arms)
                        continue; /* of another workflow than this one */
                r = run_arm(engine, step, (unsigned) number->valueint, outputs, err);
                if (r < 0)
                        return r;
        }
        if (takes_all(step))
                *ret_output = TAKE_PTR(outputs);
        else
                *ret_output = cJSON_GetArraySize(outputs) > 0
                                      ? cJSON_DetachItemFromArray(outputs, 0)
                                      : cJSON_CreateNull();
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

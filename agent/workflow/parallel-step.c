/*
 * parallel-step: each sequence sees what was there before, not what the others give. That is kept apart until
 * all have ended: a sequence that still runs refers to the outputs of an earlier iteration.
 */
#include "agent/workflow/parallel-step.h"

#include <stdio.h>

#include "agent/workflow/branches.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/outputs.h"
#include "agent/workflow/walk.h"

#define SEQUENCES_MAX 64

/* One parallel while it runs. */
typedef struct Arms {
        const Step *step;
        cJSON *given; /* borrowed from what is unpacked at the end; {id: output} */
} Arms;

/* A sequence is a list of steps, or one step by itself. */
static int load_sequence(Loader *loader, const cJSON *json, const char *path, Step *step,
                         Error *err) {
        unsigned first = step->n_steps;
        int r;

        if (cJSON_IsArray(json))
                r = loader_sequence(loader, json, path, step, err);
        else
                r = loader_single(loader, json, path, step, err);
        return r < 0 ? r : loader_add_arm(step, first, EXPRESSION_NONE, err);
}

int parallel_step_load(Loader *loader, const cJSON *json, const char *path, Step *step,
                       Error *err) {
        static const unsigned range[] = { 1, BRANCHES_CONCURRENCY_MAX };
        const cJSON *list = json_get(json, "parallel"), *item;
        int n = cJSON_GetArraySize(list), i = 0, r;

        if (!cJSON_IsArray(list) || n < 1 || n > SEQUENCES_MAX)
                return workflow_fault(err, path, "parallel",
                                      "a list of 1 to %d steps, or lists of steps, is needed",
                                      SEQUENCES_MAX);
        r = loader_count(json, "concurrency", path, range, &step->concurrency, err);
        cJSON_ArrayForEach(item, list) {
                char inner[WORKFLOW_PATH_MAX];

                (void) snprintf(inner, sizeof(inner), "%s/parallel/%d", path, i++);
                if (r >= 0)
                        r = load_sequence(loader, item, inner, step, err);
        }
        return r;
}

static int run_sequence(Engine *engine, unsigned index, void *userdata, Error *err) {
        const Step *step = ((Arms *) userdata)->step;
        const StepArm *arm = &step->arms[index];

        return walk_sequence(engine, &step->steps[arm->first], arm->n, err);
}

static int take_outputs(Engine *outer, Engine *inner, unsigned index, void *userdata, Error *err) {
        Arms *arms = userdata;

        (void) index;
        return branches_take(inner, arms->given) < 0 ? engine_no_memory(outer, err) : 0;
}

int parallel_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(json_free) cJSON *packed = cJSON_CreateObject();
        Arms arms = { .step = step, .given = json_add_object(packed, "steps") };
        Branches branches = { .n = step->n_arms,
                              .concurrency = step->concurrency,
                              .run = run_sequence,
                              .done = take_outputs,
                              .userdata = &arms };
        cJSON *outputs = json_add_object(packed, "output");
        int r = outputs ? branches_run(engine, &branches, err) : engine_no_memory(engine, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < step->n_arms; i++) {
                const StepArm *arm = &step->arms[i];
                const char *id = step->steps[arm->first + arm->n - 1].id;

                if (!json_add_consume(outputs, id, cJSON_Duplicate(json_get(arms.given, id), true)))
                        return engine_no_memory(engine, err);
        }
        return outputs_unpack(engine, packed, ret_output, err);
}

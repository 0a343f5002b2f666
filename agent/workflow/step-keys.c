/*
 * step-keys: the keys that are no kind's.
 */
#include "agent/workflow/step-keys.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/loader.h"

#define RETRIES_MAX 20
#define SETS_MAX    32

bool step_keys_take(const char *key) {
        static const char *const keys[] = { "id",      "output",  "description", "retry",
                                            "timeout", "require", "set",         "effects" };

        for (unsigned i = 0; i < ELEMENTS(keys); i++)
                if (strcmp(keys[i], key) == 0)
                        return true;
        return false;
}

static int load_retry(const cJSON *json, const char *path, Step *step, Error *err) {
        static const unsigned range[] = { 1, RETRIES_MAX };
        const cJSON *retry = json_get(json, "retry"), *item;
        char inner[WORKFLOW_PATH_MAX];
        int r;

        if (!retry)
                return 0;
        (void) snprintf(inner, sizeof(inner), "%s/retry", path);
        if (!cJSON_IsObject(retry) || !json_get(retry, "max"))
                return workflow_fault(err, path, "retry",
                                      "{\"max\": further tries, \"wait\": \"1s\"} is needed");
        cJSON_ArrayForEach(item, retry) {
                if (strcmp(item->string, "max") != 0 && strcmp(item->string, "wait") != 0)
                        return workflow_fault(err, inner, item->string, "retry has no such key");
        }
        r = loader_count(retry, "max", inner, range, &step->retries, err);
        if (r < 0)
                return r;
        return loader_duration(retry, "wait", inner, &step->retry_wait_usec, err);
}

static int load_effects(const cJSON *json, const char *path, Step *step, Error *err) {
        const char *effects = json_text(json, "effects");

        if (!json_get(json, "effects"))
                return 0;
        if (!effects || strcmp(effects, "outside") != 0)
                return workflow_fault(err, path, "effects", "\"outside\" is all it may be");
        if (step->kind->holds || step->kind->scope == KIND_SHOWS)
                return workflow_fault(err, path, "effects",
                                      "it belongs to the inner step that has them");
        step->outside = true;
        return 0;
}

int step_keys_load_before(const cJSON *json, const char *path, Step *step, Error *err) {
        int r = load_retry(json, path, step, err);

        if (r >= 0)
                r = loader_duration(json, "timeout", path, &step->timeout_usec, err);
        return r < 0 ? r : load_effects(json, path, step, err);
}

static int load_sets(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const cJSON *sets = json_get(json, "set"), *item;
        char inner[WORKFLOW_PATH_MAX];
        int n = cJSON_GetArraySize(sets);

        if (!sets)
                return 0;
        (void) snprintf(inner, sizeof(inner), "%s/set", path);
        if (!cJSON_IsObject(sets) || n == 0 || n > SETS_MAX)
                return workflow_fault(err, path, "set",
                                      "an object of 1 to %d members of the state is needed: each "
                                      "with its expression",
                                      SETS_MAX);
        step->sets = calloc((size_t) n, sizeof(*step->sets));
        if (!step->sets)
                return error_set(err, -ENOMEM, "%s", inner);
        cJSON_ArrayForEach(item, sets) {
                int r = loader_expression(loader, sets, item->string, inner, err);

                if (r < 0)
                        return r;
                step->sets[step->n_sets++] =
                        (StepSet){ .name = item->string, .expression = (unsigned) r };
        }
        return 0;
}

int step_keys_load_after(Loader *loader, const cJSON *json, const char *path, Step *step,
                         Error *err) {
        int r = 0;

        if (json_get(json, "require")) {
                r = loader_expression(loader, json, "require", path, err);
                if (r < 0)
                        return r;
                step->require = (unsigned) r;
        }
        return load_sets(loader, json, path, step, err);
}

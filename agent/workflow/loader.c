/*
 * loader: see loader.h. Keys that are not known are refused: a misspelt max_iterations must not become a
 * loop with another limit.
 */
#include "agent/workflow/loader.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/step-keys.h"
#include "base/schema.h"
#include "base/units.h"

#define STEP_ID_MAX    64
#define STEP_PLACE_MAX 255 /* bytes of the ids that lead to a step: what an event holds */

static bool is_id(const char *id) {
        size_t n = strlen(id);

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) id[i]) && id[i] != '_' && (i == 0 || id[i] != '-'))
                        return false;
        return n > 0 && n <= STEP_ID_MAX;
}

static int load_id(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const char *id = json_text(json, "id");

        if (id && strcmp(id, "finally") == 0)
                return workflow_fault(err, path, "id", "\"finally\" is the workflow's own word");
        if (!id)
                return workflow_fault(err, path, "id", "every step needs an id, a string");
        if (!is_id(id))
                return workflow_fault(err, path, "id",
                                      "\"%.64s\" is no id: letters, digits, _ and -, at most %d",
                                      id, STEP_ID_MAX);
        for (unsigned i = 0; i < loader->n_ids; i++)
                if (strcmp(loader->ids[i], id) == 0)
                        return workflow_fault(err, path, "id", "a second step \"%s\"", id);
        if (loader->n_ids == WORKFLOW_STEPS_MAX)
                return workflow_fault(err, path, "", "a workflow has at most %d steps",
                                      WORKFLOW_STEPS_MAX);
        if (++*loader->n_all > WORKFLOW_STEPS_ALL_MAX)
                return workflow_fault(err, path, "",
                                      "with those that are called there are more than %d steps",
                                      WORKFLOW_STEPS_ALL_MAX);
        if (loader->place + strlen(id) + 1 > STEP_PLACE_MAX)
                return workflow_fault(err, path, "id",
                                      "the ids that lead to it are longer than %d bytes together",
                                      STEP_PLACE_MAX);
        loader->ids[loader->n_ids++] = id;
        step->id = id;
        return 0;
}

static int load_kind(const cJSON *json, const char *path, Step *step, Error *err) {
        char names[256];
        const cJSON *item;

        cJSON_ArrayForEach(item, json) {
                const StepKind *kind = kinds_find(item->string);

                if (kind && step->kind)
                        return workflow_fault(
                                err, path, kind->key,
                                "the step is already one of kind \"%s\": one kind a step",
                                step->kind->key);
                if (kind)
                        step->kind = kind;
        }
        if (!step->kind)
                return workflow_fault(err, path, "", "the step has no kind; the kinds are %s",
                                      kinds_names(names, sizeof(names)));
        return 0;
}

static bool takes(const StepKind *kind, const char *key) {
        if (step_keys_take(key) || strcmp(key, kind->key) == 0)
                return true;
        for (const char *const *at = kind->takes; *at; at++)
                if (strcmp(*at, key) == 0)
                        return true;
        return false;
}

static int check_keys(const cJSON *json, const char *path, const Step *step, Error *err) {
        const cJSON *item;

        cJSON_ArrayForEach(item, json) {
                if (!takes(step->kind, item->string))
                        return workflow_fault(err, path, item->string,
                                              "a step of kind \"%s\" has no such key",
                                              step->kind->key);
        }
        return 0;
}

int loader_schema(const cJSON *schema, const char *path, const char *key, Error *err) {
        SchemaFault fault = { 0 };

        if (schema && !cJSON_IsObject(schema) && !cJSON_IsBool(schema))
                return workflow_fault(err, path, key, "a JSON Schema is an object");
        /* any value finds a schema that is itself wrong at its root */
        if (schema && schema_check(schema, schema, &fault) == -ENOTSUP)
                return workflow_fault(err, path, key, "no JSON Schema: %s", fault.text);
        return 0;
}

static int load_parts(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        size_t place = loader->place;
        int r;

        r = step_keys_load_before(json, path, step, err);
        loader->place += strlen(step->id) + 1;
        if (r >= 0)
                r = step->kind->load(loader, json, path, step, err);
        loader->place = place;
        return r < 0 ? r : step_keys_load_after(loader, json, path, step, err);
}

static int load_step(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        int r;

        if (!cJSON_IsObject(json))
                return workflow_fault(err, path, "", "a step is an object");
        step->json = json;
        step->where = strdup(path);
        if (!step->where)
                return error_set(err, -ENOMEM, "%s", path);
        step->require = step->condition = EXPRESSION_NONE;
        r = load_id(loader, json, path, step, err);
        if (r >= 0)
                r = load_kind(json, path, step, err);
        if (r >= 0)
                r = faults_take(loader->faults, check_keys(json, path, step, err), err);
        if (r < 0)
                return r;
        step->output = json_get(json, "output");
        r = loader_schema(step->output, path, "output", err);
        r = faults_take(loader->faults, r, err);
        return r < 0 ? r : load_parts(loader, json, path, step, err);
}

/* Room for @more steps behind those that are there. */
static int grow(Loader *loader, Step **steps, unsigned n, unsigned more, const char *path,
                Error *err) {
        Step *grown;

        if (loader->depth == WORKFLOW_DEPTH_MAX)
                return workflow_fault(err, path, "", "steps are nested deeper than %d",
                                      WORKFLOW_DEPTH_MAX);
        grown = reallocarray(*steps, (size_t) n + more, sizeof(Step));
        if (!grown)
                return error_set(err, -ENOMEM, "%s", path);
        *steps = grown;
        return 0;
}

static int load_next(Loader *loader, const cJSON *json, const char *path, Step *steps, unsigned *n,
                     Error *err) {
        int r;

        steps[*n] = (Step){ 0 };
        loader->depth++;
        r = load_step(loader, json, path, &steps[(*n)++], err);
        loader->depth--;
        return faults_take(loader->faults, r, err);
}

int loader_list(Loader *loader, const cJSON *list, const char *path, Step **steps, unsigned *n,
                Error *err) {
        unsigned i = 0, size = cJSON_IsArray(list) ? (unsigned) cJSON_GetArraySize(list) : 0;
        const cJSON *json;
        int r;

        if (size == 0)
                return workflow_fault(err, path, "", "a list of at least one step is needed");
        r = grow(loader, steps, *n, size, path, err);
        cJSON_ArrayForEach(json, list) {
                char inner[WORKFLOW_PATH_MAX];

                (void) snprintf(inner, sizeof(inner), "%s/%u", path, i++);
                if (r >= 0)
                        r = load_next(loader, json, inner, *steps, n, err);
        }
        return r;
}

int loader_single(Loader *loader, const cJSON *json, const char *path, Step *parent, Error *err) {
        int r = grow(loader, &parent->steps, parent->n_steps, 1, path, err);

        return r < 0 ? r : load_next(loader, json, path, parent->steps, &parent->n_steps, err);
}

int loader_sequence(Loader *loader, const cJSON *list, const char *path, Step *parent, Error *err) {
        return loader_list(loader, list, path, &parent->steps, &parent->n_steps, err);
}

int loader_forked(Loader *loader, const cJSON *list, const char *path, Step *parent, Error *err) {
        int r;

        if (loader->forked)
                return workflow_fault(err, parent->where, parent->kind->key,
                                      "it would fork a fork of the workspace, since it lies in a "
                                      "split or a race: there is one level only");
        loader->forked = true;
        r = loader_list(loader, list, path, &parent->steps, &parent->n_steps, err);
        loader->forked = false;
        return r;
}

int loader_add_arm(Step *step, unsigned first, unsigned condition, Error *err) {
        StepArm *grown = reallocarray(step->arms, step->n_arms + 1, sizeof(*grown));

        if (!grown)
                return error_set(err, -ENOMEM, "step %s", step->id);
        step->arms = grown;
        step->arms[step->n_arms++] = (StepArm){ first, step->n_steps - first, condition };
        return 0;
}

/* ---- members that kinds share -------------------------------------------------------------------- */

int loader_expression(Loader *loader, const cJSON *json, const char *key, const char *path,
                      Error *err) {
        const char *text = json_text(json, key);
        char inner[WORKFLOW_PATH_MAX];

        if (!text)
                return workflow_fault(err, path, key, "an expression is needed, a string of jq");
        (void) snprintf(inner, sizeof(inner), "%s/%s", path, key);
        return expressions_add(loader->workflow->expressions, text, strlen(text), inner, err);
}

int loader_duration(const cJSON *json, const char *key, const char *path, uint64_t *ret_usec,
                    Error *err) {
        const cJSON *duration = json_get(json, key);
        Error why = ERROR_EMPTY;

        if (!duration)
                return 0;
        if (!cJSON_IsString(duration))
                return workflow_fault(err, path, key, "a duration such as \"5m\" is needed");
        if (units_parse_duration(duration->valuestring, ret_usec, &why) < 0)
                return workflow_fault(err, path, key, "%s", why.text);
        return 0;
}

int loader_count(const cJSON *json, const char *key, const char *path, const unsigned limits[2],
                 unsigned *ret, Error *err) {
        uint64_t value;
        int r = json_number(json, key, &value);

        if (r == -ENOENT)
                return 0;
        if (r < 0 || value < limits[0] || value > limits[1])
                return workflow_fault(err, path, key, "a number from %u to %u is needed", limits[0],
                                      limits[1]);
        *ret = (unsigned) value;
        return 0;
}

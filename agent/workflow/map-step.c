/*
 * map-step: the smallest step.
 */
#include "agent/workflow/map-step.h"
#include "agent/workflow/loader.h"

#include <stdio.h>
#include <string.h>

#define MAPPING_MAX 64

typedef struct MappingItem {
        const char *name;    /* borrowed from the workflow's JSON; NULL: the value itself */
        unsigned expression; /* of the workflow's set */
} MappingItem;

struct Mapping {
        unsigned n;
        MappingItem items[MAPPING_MAX];
};

Mapping *mapping_free(Mapping *mapping) {
        free(mapping);
        return NULL;
}

static int add(Loader *loader, Mapping *mapping, const cJSON *object, const char *name,
               const char *path, Error *err) {
        int r = loader_expression(loader, object, name, path, err);

        if (r < 0)
                return r;
        mapping->items[mapping->n++].expression = (unsigned) r;
        return 0;
}

static int add_all(Loader *loader, Mapping *mapping, const cJSON *object, const char *path,
                   Error *err) {
        const cJSON *item;

        cJSON_ArrayForEach(item, object) {
                int r;

                mapping->items[mapping->n].name = item->string;
                r = add(loader, mapping, object, item->string, path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int mapping_new(Loader *loader, const cJSON *json, const char *key, const char *path,
                Mapping **ret_mapping, Error *err) {
        SCOPED(mapping_free) Mapping *mapping = calloc(1, sizeof(*mapping));
        const cJSON *object = json_get(json, key);
        char inner[WORKFLOW_PATH_MAX];
        int r;

        if (!mapping)
                return error_set(err, -ENOMEM, "%s", path);
        (void) snprintf(inner, sizeof(inner), "%s/%s", path, key);
        if (cJSON_IsString(object))
                r = add(loader, mapping, json, key, path, err);
        else if (cJSON_IsObject(object) && cJSON_GetArraySize(object) <= MAPPING_MAX)
                r = add_all(loader, mapping, object, inner, err);
        else
                r = workflow_fault(err, path, key,
                                   "an expression, or an object of at most %d of them is needed",
                                   MAPPING_MAX);
        if (r < 0)
                return r;
        *ret_mapping = TAKE_PTR(mapping);
        return 0;
}

unsigned mapping_expression(const Mapping *mapping, const char *name) {
        for (unsigned i = 0; i < mapping->n; i++) {
                const char *own = mapping->items[i].name;

                if (name ? own && strcmp(own, name) == 0 : !own)
                        return mapping->items[i].expression;
        }
        return EXPRESSION_NONE;
}

int mapping_eval(Engine *engine, const Mapping *mapping, cJSON **ret_value, Error *err) {
        SCOPED(json_free) cJSON *object = NULL;

        if (mapping->n == 1 && !mapping->items[0].name)
                return engine_eval(engine, mapping->items[0].expression, ret_value, err);
        object = cJSON_CreateObject();
        for (unsigned i = 0; i < mapping->n; i++) {
                cJSON *value = NULL;
                int r = engine_eval(engine, mapping->items[i].expression, &value, err);

                if (r < 0)
                        return r;
                if (!json_add_consume(object, mapping->items[i].name, value))
                        return engine_no_memory(engine, err);
        }
        *ret_value = TAKE_PTR(object);
        return *ret_value ? 0 : engine_no_memory(engine, err);
}

int map_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        Mapping *mapping = NULL;
        int r = mapping_new(loader, json, "map", path, &mapping, err);

        step->own = mapping;
        return r;
}

void map_step_unload(Step *step) {
        step->own = mapping_free(step->own);
}

int map_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        return mapping_eval(engine, step->own, ret_output, err);
}

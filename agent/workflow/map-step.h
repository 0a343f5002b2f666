#pragma once
/*
 * map-step: a value made by expressions: no model, no command.
 */
#include "agent/workflow/engine.h"

/** map_step_load() - {map: "expression" | {"name": "expression", …}}. Returns: as StepKind.load */
int map_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** map_step_run() - output: the value, or an object of them. Returns: as StepKind.run */
int map_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

/** map_step_unload() - releases step->own */
void map_step_unload(Step *step);

/* An expression or an object of expressions, as map and the input of a called workflow have it. */
typedef struct Mapping Mapping;

/** mapping_new() - of member @key of @json, which stands at @path. Returns: 0, -EINVAL with the path, -ENOMEM */
int mapping_new(Loader *loader, const cJSON *json, const char *key, const char *path,
                Mapping **ret_mapping, Error *err);
/** mapping_free() - release it. Returns: NULL */
Mapping *mapping_free(Mapping *mapping);
DEFINE_SCOPED(Mapping *, mapping_free);

/** mapping_expression() - number of the expression of member @name, NULL: of the value itself; or EXPRESSION_NONE */
unsigned mapping_expression(const Mapping *mapping, const char *name);

/** mapping_eval() - the value, owned by the caller. Returns: as engine_eval() */
int mapping_eval(Engine *engine, const Mapping *mapping, cJSON **ret_value, Error *err);

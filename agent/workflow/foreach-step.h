#pragma once
/*
 * foreach-step: the inner steps for each item of a list, some at once if wanted.
 */
#include "agent/workflow/engine.h"

#define FOREACH_ITEMS_MAX     100000
#define FOREACH_ITEMS_DEFAULT 1000

/** foreach_step_load() - {foreach: list, steps*, concurrency?, max_items?}. Returns: as StepKind.load */
int foreach_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** foreach_step_run() - output: what the last inner step gave for each item, in the list's order. Returns: as StepKind.run */
int foreach_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

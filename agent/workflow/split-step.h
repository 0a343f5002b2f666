#pragma once
/*
 * split: a list of sub-tasks, each done in a fork of the workspace of its own, side by side. As each is done its work
 * is merged into the task's workspace, in which the next forks begin. What conflicts goes back to a worker, with
 * the marked-up files in a fork, a bounded number of times.
 */
#include "agent/workflow/engine.h"

#define SPLIT_ITEMS_DEFAULT     8u
#define SPLIT_ITEMS_MAX         64u
#define SPLIT_CONFLICTS_DEFAULT 2u
#define SPLIT_CONFLICTS_MAX     10u

/** split_step_load() - {split: expression, steps, resolve, max_conflicts, concurrency, max_items}. Returns: as StepKind.load */
int split_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** split_step_run() - output: a list of {result, conflicts}, in the order of the items. Returns: as StepKind.run */
int split_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

#pragma once
/*
 * verify-step: ask the supervisor for a verdict. What it says is the step's output; the workflow decides
 * what to do with it, and the supervisor what it means for the task.
 */
#include "agent/workflow/engine.h"

/** verify_step_load() - {verify: {}}. Returns: as StepKind.load */
int verify_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** verify_step_run() - output: {verdict, n, left, digest, failing, restored, dangerous}. Returns: as StepKind.run */
int verify_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

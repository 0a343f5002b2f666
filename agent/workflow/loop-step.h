#pragma once
/*
 * loop-step: dountil and dowhile: run the inner steps, then look at the condition. Both run at least
 * once; both have a limit of their own, which is a named end and never silence.
 */
#include "agent/workflow/engine.h"

/** loop_step_load() - {dountil|dowhile: condition, max_iterations*, steps*}. Returns: as StepKind.load */
int loop_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** dountil_step_run() - until the condition holds. Output: {iterations}. Returns: as StepKind.run */
int dountil_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

/** dowhile_step_run() - while the condition holds. Output: {iterations}. Returns: as StepKind.run */
int dowhile_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

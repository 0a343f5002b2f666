#pragma once
/*
 * parallel-step: several sequences at once. The first that fails ends the others.
 */
#include "agent/workflow/engine.h"

/** parallel_step_load() - {parallel: [step | [step…]…], concurrency?}. Returns: as StepKind.load */
int parallel_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** parallel_step_run() - output: {id of each sequence's last step: its output}. Returns: as StepKind.run */
int parallel_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

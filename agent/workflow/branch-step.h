#pragma once
/*
 * branch-step: the first arm whose condition holds; with "mode": "all" each that holds.
 */
#include "agent/workflow/engine.h"

/** branch_step_load() - {branch: [{when?, steps}…], mode?}. Returns: as StepKind.load */
int branch_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/**
 * branch_step_run() - output: what the arm's last step gave; null where none ran; with mode all a list
 * Returns: as StepKind.run
 */
int branch_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

#pragma once
/*
 * sleep-step: let time pass.
 */
#include "agent/workflow/engine.h"

#define SLEEP_MAX_USEC (UINT64_C(30) * 24 * 3600 * 1000000)

/** sleep_step_load() - {sleep: "10s"}. Returns: as StepKind.load */
int sleep_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** sleep_step_run() - output: {until}, a time. Returns: as StepKind.run */
int sleep_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

/** sleep_step_unload() - releases step->own */
void sleep_step_unload(Step *step);

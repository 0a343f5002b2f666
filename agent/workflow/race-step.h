#pragma once
/*
 * race: the same steps in several forks of the workspace at once, under one budget. The first whose condition holds
 * when its steps are done wins: its work becomes the task's workspace, and the others are ended. One that fails
 * by itself is out; where all are out, nobody has won.
 */
#include "agent/workflow/engine.h"

#define RACE_FORKS_MAX 8u

/** race_step_load() - {race: number of forks, steps, wins: condition, concurrency}. Returns: as StepKind.load */
int race_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** race_step_run() - output: {winner, result}. Returns: as StepKind.run */
int race_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

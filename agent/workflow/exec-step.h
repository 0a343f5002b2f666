#pragma once
/*
 * exec-step: a command in the task's jail, without a model. How it ended is its output, not an error: a
 * condition looks at it.
 */
#include "agent/workflow/engine.h"

/** exec_step_load() - {exec: "shell line" | ["argument", …], timeout}. Returns: as StepKind.load */
int exec_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/**
 * exec_step_output() - a command's record as a step's output
 * @answer: of `exec`
 *
 * {cause, code, signal, ok, output, cut, digest, wall_usec}: output is the command's own text and nothing
 * else; digest is what a model is told of it, how it ended before what it wrote, cut by lines.
 *
 * Returns: as StepKind.run.
 */
int exec_step_output(Engine *engine, LinkAnswer *answer, cJSON **ret_output, Error *err);

/** exec_step_run() - output: see exec_step_output(). Returns: as StepKind.run */
int exec_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

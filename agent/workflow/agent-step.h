#pragma once
/*
 * agent-step: a role works until it has nothing more to call: model call, tool calls, results, and again.
 * Its last message is the step's output. Whether the work is any good is not decided here: a model that
 * says "done" without doing anything ends the step, and the verify step says what that is worth.
 */
#include "agent/workflow/engine.h"

#define AGENT_WRONG_CALLS_MAX  5 /* wrong tool calls in a row */
#define AGENT_OUTPUT_TRIES_MAX 3 /* outputs that do not fit, in one step */

/** agent_step_load() - {agent: role, prompt*, max_turns}. Returns: as StepKind.load */
int agent_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** agent_step_run() - output: what the schema says, or {text}. Returns: as StepKind.run */
int agent_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

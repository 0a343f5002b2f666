#pragma once
/*
 * command-agent-step: another agent's program, run in the task's jail with a way to the task's model for as long
 * as it runs. What it changed below /work is the work; its claims are output and nothing more: the verdict is the
 * supervisor's, as after any step.
 */
#include "agent/workflow/engine.h"

/** command_agent_step_load() - {command-agent: ["program", …], env: {NAME: "…" | null}, timeout}. Returns: as StepKind.load */
int command_agent_step_load(Loader *loader, const cJSON *json, const char *path, Step *step,
                            Error *err);
/** command_agent_step_unload() - as StepKind.unload */
void command_agent_step_unload(Step *step);
/** command_agent_step_run() - output: as exec's, with model: {calls, tokens_in, tokens_out}. Returns: as StepKind.run */
int command_agent_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

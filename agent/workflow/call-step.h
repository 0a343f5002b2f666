#pragma once
/*
 * call-step: kind "workflow": another workflow as a step, with input, state and steps of its own.
 */
#include "agent/workflow/engine.h"
#include "agent/workflow/map-step.h"

/** call_step_load() - {workflow: name, with?: expressions}. Returns: as StepKind.load */
int call_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);

/** call_step_run() - output: that of the called one's last step. Returns: as StepKind.run */
int call_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);

/** call_step_unload() - releases step->own */
void call_step_unload(Step *step);

/** call_step_called() - the workflow that @step calls; borrowed; NULL: it is of another kind */
const Workflow *call_step_called(const Step *step);

/** call_step_with() - what makes the input of the workflow that @step calls; borrowed; NULL: it gets the caller's */
const Mapping *call_step_with(const Step *step);

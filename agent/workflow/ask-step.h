#pragma once
/*
 * ask-step: people are asked, and the run waits for what they say: a plan, an effect that leaves the jail, a
 * question. What they said is the output; a no ends the run, unless the step says that it goes on.
 */
#include "agent/workflow/engine.h"

/** ask_step_load() - as StepKind says */
int ask_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err);
/** ask_step_run() - as StepKind says */
int ask_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err);
/** ask_step_unload() - as StepKind says */
void ask_step_unload(Step *step);

/**
 * ask_by_model() - a model asks, in the middle of the step that runs
 * @question_consume: parameters of the method `ask` but for path
 * @n:                its number among the questions of this step, from 1
 *
 * The agent stays as it is meanwhile: what the model has in mind is committed with the step only.
 *
 * Returns: 0 and the answer, owned by the caller; negative errno with the cause set.
 */
int ask_by_model(Engine *engine, cJSON *question_consume, unsigned n, cJSON **ret_answer,
                 Error *err);

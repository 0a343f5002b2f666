#pragma once
/*
 * run: a whole workflow from its input to its last output: the one of the task, and those that steps call.
 */
#include "agent/workflow/engine.h"

/**
 * run_task() - run the whole workflow of a task
 * @input:           checked by the workflow's input schema; copied
 * @journal_consume: task.info's; NULL: the run begins
 *
 * Returns: 0, or negative errno: the session's cause and @err say why.
 */
int run_task(Session *session, const Workflow *workflow, const cJSON *input, cJSON *journal_consume,
             Error *err);

/**
 * run_called() - run @workflow in the place of the step that @engine runs, with values of its own
 * @ret_output: its last step's; owned by the caller
 *
 * Returns: 0, or negative errno with engine->cause set.
 */
int run_called(Engine *engine, const Workflow *workflow, const cJSON *input, cJSON **ret_output,
               Error *err);

#pragma once
/*
 * outputs: what steps have given. A step's output lands in data.steps under its id; ids are unique in a workflow, so that
 * an expression needs no path. In a loop the newest iteration's output stands there.
 */
#include "agent/workflow/engine.h"

/** outputs_check() - does what @step gave fit its schema. Returns: 0; -EINVAL with engine->cause set */
int outputs_check(Engine *engine, const Step *step, const cJSON *output, Error *err);
/** outputs_store() - under @id, in place of what stood there. Returns: 0 or -ENOMEM */
int outputs_store(Engine *engine, const char *id, cJSON *output_consume, Error *err);

/** outputs_before() - what expressions see of the step and of those in it now. Returns: owned by the caller; NULL: no memory */
cJSON *outputs_before(const Engine *engine, const Step *step);
/** outputs_take_back() - they see that again, and nothing of what a failed try gave. @before: of outputs_before(). Returns: 0 or -ENOMEM */
int outputs_take_back(Engine *engine, const Step *step, const cJSON *before, Error *err);

/**
 * outputs_pack() - {"output": @output, "steps": newest outputs of @step's inner steps}: what an instance with
 * inner ones commits, since those go with its commit
 *
 * Returns: owned by the caller; NULL: no memory.
 */
cJSON *outputs_pack(const Engine *engine, const Step *step, const cJSON *output);

/** outputs_unpack() - put the inner outputs back; @ret_output is owned by the caller. Returns: 0 or -ENOMEM */
int outputs_unpack(Engine *engine, cJSON *packed, cJSON **ret_output, Error *err);

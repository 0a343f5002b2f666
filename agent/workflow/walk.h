#pragma once
/*
 * walk: runs lists of steps. What a journal holds is not run again.
 */
#include "agent/workflow/engine.h"

/** walk_sequence() - @n steps of one list, in order. Returns: 0 or negative errno with engine->cause set */
int walk_sequence(Engine *engine, const Step *steps, unsigned n, Error *err);

/**
 * walk_pack() - {"output": @output, "steps": newest outputs of @step's inner steps}: what an instance with
 * inner ones commits, since those go with its commit
 *
 * Returns: owned by the caller; NULL: no memory.
 */
cJSON *walk_pack(const Engine *engine, const Step *step, const cJSON *output);

/** walk_unpack() - put the inner outputs back; @ret_output is owned by the caller. Returns: 0 or -ENOMEM */
int walk_unpack(Engine *engine, cJSON *packed, cJSON **ret_output, Error *err);

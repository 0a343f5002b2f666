#pragma once
/*
 * walk: runs lists of steps. What a journal holds is not run again.
 */
#include "agent/workflow/engine.h"

/** walk_sequence() - @n steps of one list, in order. Returns: 0 or negative errno with engine->cause set */
int walk_sequence(Engine *engine, const Step *steps, unsigned n, Error *err);

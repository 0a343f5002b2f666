#pragma once
/*
 * tries: a step's tries: run, output against schema, requirement, state; and again where it failed and may.
 */
#include "agent/workflow/engine.h"

/** tries_run() - until one is good or none is left; then its output is stored. Returns: 0 or negative errno with engine->cause set */
int tries_run(Engine *engine, const Step *step, Error *err);

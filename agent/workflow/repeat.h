#pragma once
/*
 * repeat: a step with effects outside of the jail that was interrupted amid them. A person decides what becomes of it;
 * nothing is repeated silently.
 */
#include "agent/workflow/engine.h"

/**
 * repeat_ask() - repeat it, or take it as done
 * @ret_skip: it is taken as done
 *
 * Returns: 0 or negative errno with engine->cause set (CAUSE_GIVEN_UP: the person gave it up).
 */
int repeat_ask(Engine *engine, const Step *step, bool *ret_skip, Error *err);

#pragma once
/*
 * claims: how often a step has said that it is done since the last verify of the run. In a loop a step is the same
 * one in each iteration; the items of a foreach are steps of their own.
 */
#include "agent/workflow/engine.h"

/** claims_add() - the step that runs says that it is done. Returns: how often it has, or -ENOMEM */
int claims_add(Engine *engine);
/** claims_forget() - there was a verify */
void claims_forget(Session *session);

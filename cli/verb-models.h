#pragma once
/*
 * verb-models: the models that a task may be given.
 */
#include "cli/verbs.h"

extern const Verb verb_models_list;

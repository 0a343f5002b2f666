#pragma once
/*
 * The verb "task receipt".
 */
#include "cli/verbs.h"

extern const Verb verb_task_receipt;

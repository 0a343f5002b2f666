#pragma once
/*
 * replay-methods: task.replay.
 */
#include "supervisor/front/calls.h"

extern const MethodRow replay_methods[];

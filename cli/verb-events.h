#pragma once
/*
 * verb-events: warder events.
 */
#include "cli/verbs.h"

extern const Verb verb_events;

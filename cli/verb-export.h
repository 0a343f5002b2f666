#pragma once
/*
 * verb-export: the verb "snapshot export".
 */
#include "cli/verbs.h"

extern const Verb verb_snapshot_export;

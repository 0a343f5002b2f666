#pragma once
/*
 * verb-snapshot-import: warder snapshot import.
 */
#include "cli/verbs.h"

extern const Verb verb_snapshot_import;

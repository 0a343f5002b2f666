#pragma once
/*
 * The verb "snapshot fsck".
 */
#include "cli/verbs.h"

extern const Verb verb_snapshot_fsck;

#pragma once
/*
 * The verbs of snapshots but import and fsck: "snapshot gc", "list", "rm", "show" and "tag".
 */
#include "cli/verbs.h"

extern const Verb verb_snapshot_gc;
extern const Verb verb_snapshot_list;
extern const Verb verb_snapshot_show;
extern const Verb verb_snapshot_rm;
extern const Verb verb_snapshot_tag;

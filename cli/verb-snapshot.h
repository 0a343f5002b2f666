#pragma once
/*
 * The verbs "snapshot import", "snapshot list", "snapshot show" and "snapshot rm".
 */
#include "cli/verbs.h"

extern const Verb verb_snapshot_import;
extern const Verb verb_snapshot_list;
extern const Verb verb_snapshot_show;
extern const Verb verb_snapshot_rm;

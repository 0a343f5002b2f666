#pragma once
/*
 * snapshot-show: what the supervisor says of snapshots, for people, on stdout.
 */
#include "base/json.h"

/** snapshot_show_list() - an answer of snapshot.list: a table by name; the host first */
void snapshot_show_list(const cJSON *result);
/** snapshot_show_one() - of snapshot.show */
void snapshot_show_one(const cJSON *result);
/** snapshot_show_freed() - of snapshot.remove and snapshot.gc */
void snapshot_show_freed(const cJSON *result);

/** snapshot_show_words() - a line of a list of texts; none where it is empty */
void snapshot_show_words(const char *what, const cJSON *words);
/** snapshot_text() - a member; "-" where it is not there: what a supervisor says is not believed to be complete */
const char *snapshot_text(const cJSON *object, const char *member);

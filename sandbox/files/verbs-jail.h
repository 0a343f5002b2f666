#pragma once
/*
 * verbs-jail: the jobs for what a jail has become: its changes, and trees as archives.
 */
#include "sandbox/files/verbs.h"

/** verb_changes() - what /upper changes of /old, as lines on fd 1 (changes.h). Returns: 0 or negative errno */
int verb_changes(const VerbArgs *args, Report *report, Error *err);

/** verb_pack() - /tree becomes a tar archive on fd 1 (pack.h). Returns: 0 or negative errno */
int verb_pack(const VerbArgs *args, Report *report, Error *err);

#pragma once
/*
 * change: a patch and the files that it touches, in; what these files become, out. For who applies a patch
 * to a tree that no jail may see: the patch is read here, by the reader that the gate has, and the other
 * side gets names, modes and bytes.
 *
 * On fd 1 stand RECORD_CHANGE records, each followed by as many raw bytes as its b says.
 */
#include "sandbox/files/report.h"

#define CHANGE_PATCH "patch" /* names in the archive on fd 0 */
#define CHANGE_BASE  "base"

/** change_names() - fd 0 is a patch: the paths that it reads or writes, without bytes. Returns: 0 or negative errno */
int change_names(Report *report, Error *err);

/**
 * change_run() - fd 0 is an archive that holds a patch and, below CHANGE_BASE, the files that it touches
 * @room: an empty directory to unpack into, borrowed
 *
 * Returns: 0 or negative errno (refused: the patch does not fit).
 */
int change_run(int room, Report *report, Error *err);

#pragma once
/*
 * land-finish: the last step of a layer: what could not be set while entries still came. Directories are
 * gone through from the innermost outwards, so that a mode that shuts its owner out is set last.
 */
#include "sandbox/files/land.h"

/** manifest_report() - what is in @table as a layer: the digest of its manifest, and the totals. Returns: 0 or negative errno */
int manifest_report(const Table *table, Hasher *hasher, uint64_t bytes, Report *report, Error *err);
/** land_finish() - modes and times of directories, the digest and the totals reported, all on disk. Returns: 0 or negative errno */
int land_finish(Land *land, Error *err);

#pragma once
/*
 * snapshot-import: snapshot.import: a tar archive, or a container image in one, becomes a snapshot.
 */
#include "supervisor/front/calls.h"

/** snapshot_import_row - its row of the method table */
extern const MethodRow snapshot_import_row;

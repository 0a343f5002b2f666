#pragma once
/*
 * snapshot-export: the method snapshot.export: a snapshot as a tar archive, of its tree or as a container image.
 */
#include "supervisor/front/calls.h"

/** snapshot_export_row - its row of the method table */
extern const MethodRow snapshot_export_row;

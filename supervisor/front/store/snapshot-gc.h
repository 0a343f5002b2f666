#pragma once
/*
 * snapshot-gc: snapshot.gc: what nothing uses goes, and what is only kept to save time.
 *
 * Layers go by themselves when the last who held them has let go and the last jail on them has ended (layers.h). What is left
 * for a person to ask for is what warder keeps of its own accord: bases, shields and setup layers of verifies, which would be
 * made again. What can be looked at or gone on with (recordings, workspaces of ended tasks) stays.
 */
#include "supervisor/front/calls.h"

/** snapshot_gc() - a MethodRow.run: of the caller; of administrators what nobody holds, of all */
int snapshot_gc(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);

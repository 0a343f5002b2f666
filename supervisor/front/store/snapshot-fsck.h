#pragma once
/*
 * snapshot-fsck: snapshot.fsck: each layer is read again and held against its digest.
 *
 * A layer that is not what its name says goes into no new jail (layer-records.h), whoever's it is; jails that stand on it go
 * on. Importing the same content again puts it right for all snapshots that have it.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/store/snapshot-show.h"

/** snapshot_fsck() - a MethodRow.run: of "name", else of all of the caller; of an administrator, of all */
int snapshot_fsck(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);

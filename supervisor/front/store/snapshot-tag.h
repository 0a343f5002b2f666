#pragma once
/*
 * snapshot-tag: snapshot.tag: another name for the same layers, and who may use them.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/store/snapshot-show.h"

/**
 * snapshot_tag() - a MethodRow.run
 *
 * With "new" the caller gets a name of its own for the layers of "name", which may be one that another user has published:
 * it stays when that user takes the snapshot back. "public" is about the new one then, else about "name", which must be the
 * caller's.
 */
int snapshot_tag(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);

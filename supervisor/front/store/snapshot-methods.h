#pragma once
/*
 * snapshot-methods: snapshot.list, show, tag and remove. Their names are in snapshot-show.h and snapshots.h.
 */
#include "supervisor/front/calls.h"

extern const MethodRow snapshot_methods[];

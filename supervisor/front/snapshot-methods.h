#pragma once
/*
 * snapshot-methods: the methods snapshot.import, list, show and remove.
 */
#include "supervisor/front/calls.h"

/** snapshot_methods - rows of the method table, ended by a NULL name */
extern const MethodRow snapshot_methods[];

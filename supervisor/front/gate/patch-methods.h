#pragma once
/*
 * patch-methods: patch.read, for who applies a patch to a tree of its own ("warder apply"): warder-files
 * reads the patch in a jail and says what it makes of the files that it touches. Nothing is kept.
 */
#include "supervisor/front/calls.h"

extern const MethodRow patch_methods[];

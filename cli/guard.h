#pragma once
/*
 * guard: which paths, modes and link targets of a patch may never land in a working tree, whoever says that
 * the patch is fine.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_PATH_MAX 4096

/**
 * guard_path() - may a file at this path be made, changed or taken away
 * @path: relative to the tree, bytes as they are
 *
 * Returns: NULL, or the rule that it breaks as the rest of a sentence ("…leads out of the tree").
 */
const char *guard_path(const char *path);

/** guard_mode() - may a file have this mode (0: it goes away). Returns: NULL or the rest of a sentence */
const char *guard_mode(uint32_t mode);

/** guard_link() - may a link at @path point to @target. Returns: NULL or the rest of a sentence */
const char *guard_link(const char *path, const char *target, size_t n);

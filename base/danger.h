#pragma once
/*
 * danger: files that a patch may well change, but that run, or decide what runs, on the machine of whoever
 * opens, builds or pushes the tree. They are named before a patch is applied.
 */
#include <stdbool.h>
#include <stdint.h>

/** danger_of() - why a file at this path runs by itself or with the next command; NULL: not known to */
const char *danger_of(const char *path);

/** danger_unasked() - the same, but only of what runs, or tells what runs, without that anybody starts a build or a test */
const char *danger_unasked(const char *path);

/** danger_of_mode() - why a new mode is worth a word. @old, @new: as in a patch, 0: the file is not there */
const char *danger_of_mode(uint32_t old, uint32_t new);

#pragma once
/*
 * places: the fixed places of a job (main.c), as open directories.
 */
#include "sandbox/files/verbs.h"

/** place_open() - one of them. Returns: descriptor owned by the caller, or negative errno */
int place_open(const VerbArgs *args, const char *name, Error *err);
/** place_open_below() - the directory below it that the first word names. Returns: likewise */
int place_open_below(const VerbArgs *args, const char *place, Error *err);
/** place_forgive_missing() - of what that returned: a tree without the directory has no files in it. Returns: 0, or @fd where it failed otherwise */
int place_forgive_missing(int fd, Error *err);

#pragma once
/*
 * group: one control group by its directory: its files, the groups below it. No call here needs more than
 * the right to write what is there.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/**
 * group_open_file() - open a file of a group
 * Returns: descriptor owned by the caller, or negative errno.
 */
int group_open_file(int group, const char *file, int flags);

/** group_make() - make the group @name in @parent. Returns: 0 or negative errno */
int group_make(int parent, const char *name, Error *err);

/** group_open() - open the group @name. Returns: descriptor owned by the caller, or negative errno */
int group_open(int parent, const char *name, Error *err);

/**
 * group_give() - make a file of a group the file of @uid, the host id of a jail's init
 *
 * A process is placed by who may write cgroup.procs of the group (on v1 besides: has the id of the one that
 * is moved; on v2: may write that of the group which holds both sides).
 */
int group_give(int group, const char *what, uint32_t uid, Error *err);

/** group_read() - the first line of a file of a group, cut at @n. Returns: 0 or negative errno */
int group_read(int group, const char *file, char *text, size_t n);

/** group_write_number() - write a number. Returns: 0 or negative errno */
int group_write_number(int group, const char *file, uint64_t value, Error *err);

/** group_write() - write one text to a file of a group. Returns: 0 or negative errno */
int group_write(int group, const char *file, const char *text, Error *err);

/**
 * group_remove_tree() - remove a group and all below it
 * @parent: group that holds it
 *
 * Returns: 0 (also where it is not there), -EBUSY where a process is left in it, or negative errno.
 */
int group_remove_tree(int parent, const char *name);

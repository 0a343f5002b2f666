#pragma once
/*
 * host-packages: which files of this host belong to installed Debian packages and all that they need, by dpkg-query.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/owned.h"

#define HOST_PACKAGES_MAX 20000u /* that are installed */
#define HOST_PATHS_MAX    2000000u

typedef struct PathList {
        char **items; /* owned, as what they point to: "usr/bin/gcc", below the root */
        size_t n, room;
} PathList;

/** path_list_add() - a copy of the first @n bytes. Returns: 0 or -ENOMEM, -E2BIG */
int path_list_add(PathList *list, const char *path, size_t n);
/** path_list_sort() - by name, each once */
void path_list_sort(PathList *list);
/** path_list_has() - in a sorted list */
bool path_list_has(const PathList *list, const char *path);
/** path_list_deinit() - empty it */
void path_list_deinit(PathList *list);

/**
 * host_packages_files() - the files of packages
 * @names: of installed packages ("gcc", "libc6:i386"); with them come what they depend on and what Debian calls essential,
 *         which packages need not name
 *
 * As dpkg lists them: paths may lead through links (/lib). What the packages' own scripts made is not among them.
 *
 * Returns: 0, -ENOENT with a sentence: one is not installed, or this host has no dpkg; or negative errno.
 */
int host_packages_files(char *const *names, int n, PathList *ret, Error *err);

#pragma once
/*
 * install: changes are put into a working tree, all of them or none. With the user's rights.
 */
#include <sys/stat.h>

#include "cli/as-user.h"
#include "cli/change.h"

typedef struct Seen { /* what lay at a path when it was packed */
        bool there;
        struct stat st;
} Seen;

typedef struct Tree {
        User user;
        const char *top;      /* borrowed: the directory */
        const Changes *names; /* borrowed: paths that the patch reads or writes */
        Seen *seen; /* owned: one a name, shared with the children that fill and compare it */
} Tree;

/** tree_open() - room for what is seen of each name. Returns: 0 or negative errno */
int tree_open(Tree *tree, const User *user, const char *top, const Changes *names, Error *err);
/** tree_deinit() - release it */
void tree_deinit(Tree *tree);

typedef struct TreePatch {
        const char *bytes;
        size_t n;
} TreePatch;

/**
 * tree_pack_names() - the patch and the files that it touches, as the archive of patch.read
 *
 * What is seen of each name is remembered, so that what changes afterwards is found.
 *
 * Returns: 0 and a descriptor at its start, owned by the caller; negative errno (a path through a link).
 */
int tree_pack_names(Tree *tree, const TreePatch *patch, int *ret_fd, Error *err);

/**
 * tree_install() - put @results in place
 *
 * Each path is one of the names. What lies there is compared with what was packed; where anything is not as
 * it was, or fails, all is put back.
 *
 * Returns: 0 or negative errno with a sentence that also says whether all is as it was.
 */
int tree_install(Tree *tree, const Changes *results, Error *err);

#pragma once
/*
 * tree-pack: a tar archive (pax) of trees as they are: owners by number, modes, times, user attributes, hard links and
 * holes. It runs in the child that has the user's rights.
 *
 * Nothing is opened through a link: each directory is held open while what is in it is packed.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"

typedef struct TreePack TreePack;

typedef struct TreePackTotals {
        uint64_t entries;
        uint64_t bytes;
        uint64_t left_out; /* that the user may not read; of others' alone: that not all may read */
        uint64_t
                skipped; /* sockets, devices, fifos; what lies in directories that others are mounted on */
} TreePackTotals;

/**
 * tree_pack_new() - begin an archive
 * @fd:   where it goes, borrowed
 * @root: the directory that it is of, borrowed
 * @others_only: files that not everybody may read are left out
 *
 * Returns: 0 or negative errno.
 */
int tree_pack_new(int fd, int root, bool others_only, TreePack **ret, Error *err);
/** tree_pack_free() - release it; without tree_pack_end() it stays without its end mark. NULL is fine. Returns: NULL */
TreePack *tree_pack_free(TreePack *pack);
DEFINE_SCOPED(TreePack *, tree_pack_free);

/**
 * tree_pack_add() - what lies at @path below the root; "." is the root itself
 * @whole: of a directory all that is in it as well, on its own file system
 *
 * What is not there is passed over: it went while the rest was packed, or the list was longer than the tree.
 *
 * Returns: 0, -EPIPE where nobody reads the archive any more, or negative errno.
 */
int tree_pack_add(TreePack *pack, const char *path, bool whole, Error *err);

/** tree_pack_end() - finish the archive. Returns: 0 or negative errno */
int tree_pack_end(TreePack *pack, TreePackTotals *ret_totals, Error *err);

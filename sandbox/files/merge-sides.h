#pragma once
/*
 * merge-sides: a three-way merge of one path. What only one side changed is taken; what both changed alike is
 * taken once; else files of text are merged line by line, and the rest is a conflict. The rules are those of
 * git, without renames: a renamed file is one that went and one that came.
 */
#include "base/record.h"
#include "sandbox/files/patch-write.h"

typedef struct MergeSides { /* mode 0: the path is not there; contents are borrowed */
        PatchSide base;
        PatchSide ours;
        PatchSide theirs;
} MergeSides;

typedef struct Merged {
        PatchSide side; /* what the path becomes; content in one of the inputs, or in bytes */
        char *bytes;    /* owned (free()); NULL: nothing was merged by lines */
        ConflictKind conflict; /* side is then what is left for who resolves it */
} Merged;

#define MERGED_EMPTY ((Merged){ 0 })

/** merge_sides() - Returns: 0 or negative errno; what it gives is released by merged_deinit() */
int merge_sides(const MergeSides *sides, Merged *ret_merged, Error *err);

/** merged_deinit() - release its bytes */
void merged_deinit(Merged *merged);

/** merge_same() - are two sides equal in mode and content */
bool merge_same(const PatchSide *one, const PatchSide *other);

/* merge-sides: see merge-sides.h. */
#include "sandbox/files/merge-sides.h"

#include <stdlib.h>
#include <string.h>

#define BINARY_LOOK 8000u /* git calls a file binary that has a byte 0 among its first bytes */

static bool same_content(HunkBytes one, HunkBytes other) {
        return one.n == other.n && (one.n == 0 || memcmp(one.bytes, other.bytes, one.n) == 0);
}

bool merge_same(const PatchSide *one, const PatchSide *other) {
        return one->mode == other->mode && same_content(one->content, other->content);
}

static bool is_file(const PatchSide *side) {
        return side->mode == PATCH_MODE_FILE || side->mode == PATCH_MODE_EXEC;
}

static bool is_binary(HunkBytes content) {
        size_t look = content.n < BINARY_LOOK ? content.n : BINARY_LOOK;

        return look > 0 && memchr(content.bytes, 0, look);
}

/* As git: who changed it wins; two new files that differ keep ours, and that is a conflict. */
static unsigned merge_modes(const MergeSides *sides, ConflictKind *conflict) {
        unsigned base = sides->base.mode, ours = sides->ours.mode, theirs = sides->theirs.mode;

        if (ours == theirs || ours == base)
                return theirs;
        if (theirs != base)
                *conflict = CONFLICT_MODE;
        return ours;
}

/* Both sides are files, and neither has the content that the other or the base has. */
static int merge_lines(const MergeSides *sides, Merged *merged, Error *err) {
        HunkBytes base = is_file(&sides->base) ? sides->base.content : (HunkBytes){ 0 };
        HunksMerged lines = { 0 };
        int r;

        if (is_binary(base) || is_binary(sides->ours.content) || is_binary(sides->theirs.content)) {
                merged->side.content = sides->ours.content;
                merged->conflict = CONFLICT_BINARY;
                return 0;
        }
        r = hunks_merge(base, sides->ours.content, sides->theirs.content, &lines, err);
        if (r < 0)
                return r;
        merged->bytes = lines.bytes;
        merged->side.content = (HunkBytes){ lines.bytes, lines.n };
        if (lines.conflict)
                merged->conflict = is_file(&sides->base) ? CONFLICT_CONTENT : CONFLICT_BOTH_ADDED;
        return 0;
}

static int merge_files(const MergeSides *sides, Merged *merged, Error *err) {
        merged->side.mode = merge_modes(sides, &merged->conflict);
        if (same_content(sides->ours.content, sides->theirs.content) ||
            (is_file(&sides->base) && same_content(sides->base.content, sides->theirs.content))) {
                merged->side.content = sides->ours.content;
                return 0;
        }
        if (is_file(&sides->base) && same_content(sides->base.content, sides->ours.content)) {
                merged->side.content = sides->theirs.content;
                return 0;
        }
        return merge_lines(sides, merged, err);
}

/* Both sides differ from the base and from each other. */
static int merge_changes(const MergeSides *sides, Merged *merged, Error *err) {
        const PatchSide *ours = &sides->ours, *theirs = &sides->theirs;

        merged->side = ours->mode ? *ours : *theirs;
        if (!ours->mode)
                merged->conflict = CONFLICT_OURS_DELETED;
        else if (!theirs->mode)
                merged->conflict = CONFLICT_THEIRS_DELETED;
        else if (is_file(ours) != is_file(theirs))
                merged->conflict = CONFLICT_TYPE;
        else if (!is_file(ours))
                merged->conflict = CONFLICT_LINK;
        else
                return merge_files(sides, merged, err);
        return 0;
}

int merge_sides(const MergeSides *sides, Merged *ret_merged, Error *err) {
        Merged merged = MERGED_EMPTY;
        int r = 0;

        if (merge_same(&sides->ours, &sides->theirs) || merge_same(&sides->base, &sides->theirs))
                merged.side = sides->ours;
        else if (merge_same(&sides->base, &sides->ours))
                merged.side = sides->theirs;
        else
                r = merge_changes(sides, &merged, err);
        if (r >= 0)
                *ret_merged = merged;
        return r;
}

void merged_deinit(Merged *merged) {
        free(merged->bytes);
        *merged = MERGED_EMPTY;
}

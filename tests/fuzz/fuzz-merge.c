/*
 * merge: three versions of one path, of any kind, as hostile workers leave them. Input: a byte for each version (its
 * kind), then base, a line "====", ours, a line "====", theirs. What only one side changed is taken as it is; who
 * comes first does not change whether there is a conflict; and what came of a clean merge stays when it is
 * merged again.
 */
#include <stdlib.h>
#include <string.h>

#include "sandbox/files/merge-sides.h"
#include "tests/fuzz/fuzz.h"

#define SEPARATOR "====\n"
#define INPUT_MAX 20000u

static void must(bool good) {
        if (!good)
                abort();
}

static HunkBytes cut(const char **at, const char *end) {
        const char *mark = memmem(*at, (size_t) (end - *at), SEPARATOR, strlen(SEPARATOR));
        HunkBytes piece = { *at, (size_t) ((mark ? mark : end) - *at) };

        *at = mark ? mark + strlen(SEPARATOR) : end;
        return piece;
}

static PatchSide side_of(uint8_t kind, HunkBytes content) {
        static const unsigned modes[] = { PATCH_MODE_FILE, PATCH_MODE_EXEC, PATCH_MODE_LINK, 0 };
        unsigned mode = modes[kind % 4];

        return (PatchSide){ .mode = mode, .content = mode ? content : (HunkBytes){ 0 } };
}

static void merge(const PatchSide *base, const PatchSide *ours, const PatchSide *theirs,
                  Merged *ret) {
        const MergeSides sides = { *base, *ours, *theirs };
        Error err = ERROR_EMPTY;

        must(merge_sides(&sides, ret, &err) == 0);
        must(ret->conflict < _CONFLICT_KIND_MAX);
        must(ret->side.mode || ret->side.content.n == 0);
}

static void check(const PatchSide *base, const PatchSide *ours, const PatchSide *theirs) {
        Merged one = MERGED_EMPTY, other = MERGED_EMPTY, again = MERGED_EMPTY;

        merge(base, ours, theirs, &one);
        merge(base, theirs, ours, &other);
        must((one.conflict == CONFLICT_NONE) == (other.conflict == CONFLICT_NONE));
        if (one.conflict == CONFLICT_NONE)
                must(merge_same(&one.side, &other.side));
        merge(base, &one.side, &one.side, &again);
        must(!again.conflict && merge_same(&again.side, &one.side));
        merged_deinit(&again);
        merge(base, base, theirs, &again);
        must(!again.conflict && merge_same(&again.side, theirs));
        merged_deinit(&again);
        merged_deinit(&other);
        merged_deinit(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *at = (const char *) data + 3, *end = (const char *) data + n;
        PatchSide base, ours, theirs;

        if (n < 3 || n > INPUT_MAX)
                return 0;
        base = side_of(data[0], cut(&at, end));
        ours = side_of(data[1], cut(&at, end));
        theirs = side_of(data[2], (HunkBytes){ at, (size_t) (end - at) });
        check(&base, &ours, &theirs);
        return 0;
}

#pragma once
/*
 * patch-hunk: hunks of text in a patch, and how they apply. Where a hunk fits is decided as `git apply` decides
 * it: at its line, else at the nearest place where all its lines are, no line being used twice; without
 * context at its end only at the file's end. So what fits here fits there, at the same place.
 */
#include <stdint.h>

#include "base/error.h"
#include "sandbox/files/hunks.h"

typedef struct PatchHunk {
        uint64_t old_pos;
        uint64_t old_lines;
        uint64_t new_pos;
        uint64_t new_lines;
        unsigned trailing; /* lines of context after the last change */
        const char *lines; /* borrowed: the lines behind the "@@" line */
        const char *end;
} PatchHunk;

/** hunk_is_head() - does a line begin a hunk */
bool hunk_is_head(const char *at, const char *end);

/**
 * hunk_take() - the hunk that begins at *@at, which then points behind it
 * Returns: 0, or -EBADMSG where it is not whole, or counts other lines than it has.
 */
int hunk_take(const char **at, const char *end, PatchHunk *ret_hunk);

/**
 * hunk_apply_all() - apply the hunks of one file
 * @hunks:     one after another, as they stand in the patch
 * @without:   number, from 1, of one that is left out, and those behind it move by its lines; 0: none
 * @ret_bytes: fresh memory (free()), @ret_n bytes
 *
 * Returns: 0; the number of the first hunk, from 1, that does not fit; or negative errno.
 */
int hunk_apply_all(HunkBytes hunks, HunkBytes old, unsigned without, char **ret_bytes,
                   size_t *ret_n);

typedef struct HunkSpan { /* of the new file, without the context around the change */
        uint64_t
                first; /* line, from 1; of what was only taken away, the line that stands there now */
        uint64_t lines;
} HunkSpan;

/** hunk_span() - the lines that a hunk changes */
HunkSpan hunk_span(const PatchHunk *hunk);

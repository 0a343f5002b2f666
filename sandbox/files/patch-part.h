#pragma once
/*
 * patch-part: parts of a patch that a proof needs: its tests alone, all but its changes of tests, all but one
 * hunk. A patch has two sides. On the one are tests, and the files that say how tests are run; on the other
 * is the change that they are to prove. Only the latter has hunks that can be taken away.
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/patch-read.h"

typedef enum PatchPartKind {
        PATCH_WHOLE = 0,
        PATCH_TESTS,     /* the side of the tests alone: the base with the new tests */
        PATCH_OLD_TESTS, /* all, but tests of the base stay as they are there */
        PATCH_WITHOUT,   /* all but one hunk of the change */
} PatchPartKind;

typedef struct PatchPart {
        PatchPartKind kind;
        unsigned without;     /* PATCH_WITHOUT: number of the hunk, from 1 */
        unsigned list;        /* tell of so many hunks and of all tests; 0: of none */
        const Globs *protect; /* borrowed, like the next: tests, and what says how they are run … */
        const Globs *rules;   /* … which is the latter */
} PatchPart;

/** patch_part_list() - report hunks (RECORD_HUNK, their number in RECORD_TOTALS) and test files. Returns: 0 or negative errno */
int patch_part_list(const Patch *patch, const PatchPart *part, Report *report, Error *err);

/** patch_part_take() - leave only the part in @patch. Returns: 0, or -EINVAL: it has no such hunk */
int patch_part_take(Patch *patch, const PatchPart *part, Error *err);

#pragma once
/*
 * patch-diff: what a jail changed below one directory, a task's below /work against the base, as a patch made by
 * warder-files in a jail of its own. The jail's commands stand still meanwhile.
 */
#include "supervisor/front/gate/gate-plan.h"

#define PATCH_MAX_BYTES (64ull << 20)

typedef struct PatchDiff PatchDiff;

typedef struct PatchDiffEnd {
        const Error *err; /* NULL: it was made */
        int fd; /* sealed memfd with the patch, owned by the receiver (taken: set to -EBADF) */
        uint64_t bytes;
        uint64_t n_paths;
        uint8_t digest[32];
} PatchDiffEnd;

/** PatchDiffDoneFn - once; a descriptor that is not taken is closed afterwards */
typedef void (*PatchDiffDoneFn)(PatchDiffEnd *end, void *userdata);

typedef struct PatchDiffSpec {
        FrontJail *jail;          /* the task's, borrowed for the call; NULL: it has ended */
        const GateLayers *layers; /* the base alone; likewise */
        const uint8_t *work; /* a layer that the jail stands on above setup; NULL: none; likewise */
        uint32_t owner_uid;
        PatchDiffDoneFn done;
        void *userdata;
} PatchDiffSpec;

typedef struct PatchDiffPlan { /* the same of any jail; all borrowed for the call */
        FrontJail *jail;
        const Plan *
                plan; /* gate_files_plan() with VIEW_OLD, VIEW_NEW, VIEW_UPPER, as far as they are there */
        const int *fds; /* of FilesJobSpec */
        unsigned n_fds;
        const char *dir; /* in all of them; "." is their root */
        uint32_t owner_uid;
        PatchDiffDoneFn done;
        void *userdata;
} PatchDiffPlan;

/** patch_diff_start_plan() - as patch_diff_start() */
int patch_diff_start_plan(Front *front, const PatchDiffPlan *plan, PatchDiff **ret, Error *err);
/** patch_diff_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int patch_diff_start(Front *front, const PatchDiffSpec *spec, PatchDiff **ret, Error *err);
/** patch_diff_cancel() - @done is not called any more; the jail runs again. NULL is fine. Returns: NULL */
PatchDiff *patch_diff_cancel(PatchDiff *diff);

#pragma once
/*
 * patch-apply: a patch applied to a base by warder-files in a jail of its own, and the protection layer
 * after it. What comes back is an upper that holds what the patch changed, and what was found.
 */
#include "supervisor/front/gate/shield.h"
#include "supervisor/front/gate/verdict.h"

typedef struct PatchApply PatchApply;

typedef enum PatchPart { /* what is applied (sandbox/files/patch-part.h) */
                         PATCH_PART_WHOLE = 0,
                         PATCH_PART_TESTS,
                         PATCH_PART_OLD_TESTS,
                         PATCH_PART_WITHOUT,
} PatchPart;

#define PATCH_AT_HERE UINT64_MAX

typedef struct PatchList {    /* what the patch is made of; arrays owned by who filled it */
        cJSON *hunks;         /* of the change: {"file", "line", "lines", "kind"}, the first ones */
        cJSON *new_tests;     /* paths */
        cJSON *changed_tests; /* paths of the base */
        uint64_t n_hunks;     /* all of them */
} PatchList;

typedef struct PatchApplyEnd {
        const Error *err; /* it could not be carried out, or @refused; NULL otherwise */
        bool refused;     /* the patch is not one that can be applied to this base */
        bool attacks; /* refused for what no honest patch does: a name of .git, a path that leads out */
        uint64_t upper;         /* owned by the receiver */
        const Touched *touched; /* borrowed: duplicate what is kept */
        const uint8_t *patch;   /* digest of the patch's bytes */
        const uint8_t *tree;    /* digest of the tree that `git apply` gives */
        uint64_t n_paths;       /* that the patch changes */
        PatchList *list;        /* borrowed; its arrays may be taken (set to NULL) */
} PatchApplyEnd;

/** PatchApplyStartedFn - at most once: warder-files is at work */
typedef void (*PatchApplyStartedFn)(void *userdata);
/** PatchApplyDoneFn - once */
typedef void (*PatchApplyDoneFn)(const PatchApplyEnd *end, void *userdata);

typedef struct PatchApplySpec {
        const GateLayers *layers; /* the base alone; borrowed for the call, as all here */
        const Shield *shield;     /* of this base and spec; one that is not there is fine */
        const GateLayers *setup;  /* setup's layer alone; NULL: none */
        const VerifySpec *spec;
        int patch_fd; /* duplicated */
        uint64_t
                patch_at; /* where it begins, and its position stays; PATCH_AT_HERE: where it stands */
        PatchPart part;
        unsigned without; /* PATCH_PART_WITHOUT: number of the hunk, from 1 */
        bool remark;      /* fill the end's remarks */
        unsigned list;    /* fill the end's list, with so many hunks; 0: it stays empty */
        uint32_t owner_uid;
        PatchApplyStartedFn started; /* may be NULL */
        PatchApplyDoneFn done;
        void *userdata;
} PatchApplySpec;

/** patch_apply_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int patch_apply_start(Front *front, const PatchApplySpec *spec, PatchApply **ret, Error *err);
/** patch_apply_cancel() - @done is not called any more. NULL is fine. Returns: NULL */
PatchApply *patch_apply_cancel(PatchApply *apply);

/** patch_list_init() - empty arrays. Returns: 0 or -ENOMEM */
int patch_list_init(PatchList *list);
/** patch_list_deinit() */
void patch_list_deinit(PatchList *list);

/** touched_copy() - of all but what @to has already: it is empty. Returns: 0 or -ENOMEM */
int touched_copy(Touched *to, const Touched *from);
/** touched_init() - empty lists. Returns: 0 or -ENOMEM */
int touched_init(Touched *touched);
/** touched_deinit() */
void touched_deinit(Touched *touched);

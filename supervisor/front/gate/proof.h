#pragma once
/*
 * proof: test first. A patch that has the verdict `passed` shows besides that its tests are about its change:
 *
 *   RED    the tests of the patch on the base: they must fail there (red.h)
 *   OLD    where the patch changes tests of the base: these, as they were, on the change: they must still pass
 *   HUNKS  the patch without each of its hunks, side by side as far as limits allow: some test must notice
 *
 * Each is a trial (trial.h), in jails of its own. warder-files takes the patch apart.
 */
#include "supervisor/front/gate/red.h"
#include "supervisor/front/gate/trial.h"

typedef struct Proof Proof;

typedef enum ProofState {
        PROOF_RED,   /* one trial is under way */
        PROOF_OLD,   /* one trial is */
        PROOF_HUNKS, /* some trials are */
        _PROOF_STATE_MAX,
} ProofState;

typedef struct ProofEnd {
        const Error *err;   /* it could not be carried out; NULL otherwise */
        const cJSON *tdd;   /* the member of a verdict, borrowed */
        const char *cause;  /* NULL: the patch is proved; else a word … */
        const char *reason; /* … and a sentence */
} ProofEnd;

/** ProofDoneFn - once */
typedef void (*ProofDoneFn)(const ProofEnd *end, void *userdata);
/** ProofEventFn - "red", "old_tests", "hunk"; @data is consumed, may be NULL */
typedef void (*ProofEventFn)(const char *phase, cJSON *data, void *userdata);

typedef struct ProofSpec { /* all borrowed until the end */
        const TrialGround *ground;
        const PatchList *list;
        const RunResult *base; /* NULL where the spec names no tests */
        const RunResult *green;
        ProofEventFn event;
        ProofDoneFn done;
        void *userdata;
} ProofSpec;

/** proof_nothing() - the member of a verdict where nothing was proved because the patch did not pass; NULL: no memory */
cJSON *proof_nothing(const PatchList *list);

/** proof_start() - Returns: 0 and @done will be called, unless cancelled (maybe at once); negative errno */
int proof_start(Front *front, const ProofSpec *spec, Proof **ret, Error *err);
/** proof_cancel() - NULL is fine. Returns: NULL */
Proof *proof_cancel(Proof *proof);

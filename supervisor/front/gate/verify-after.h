#pragma once
/*
 * verify-after: what a patch with the verdict `passed` has to stand besides: test first (proof.h), then the tests that
 * were held back (held.h). Each may turn the verdict into `failed`; the first that does is the last.
 */
#include "supervisor/front/gate/held.h"
#include "supervisor/front/gate/proof.h"

typedef struct After After;

/** AfterFn - once; @err: it could not be carried out; else the verdict has been told */
typedef void (*AfterFn)(const Error *err, void *userdata);

typedef struct AfterSpec { /* borrowed until the end; the ground itself is copied */
        TrialGround ground;
        const PatchList *list; /* filled where the spec asks for test first */
        const RunResult *base;
        const RunResult *green;
        const Touched *touched;
        uint64_t *upper;  /* of the patched tree: set to 0 where it is used up */
        Verdict *verdict; /* `passed` */
        ProofEventFn event;
        AfterFn done;
        void *userdata;
} AfterSpec;

/** after_is_asked() - is there anything to do after a verdict `passed` */
bool after_is_asked(const VerifySpec *spec, const WorkBase *base);

/** after_start() - Returns: 1: done already; 0 and @done will be called, unless cancelled; negative errno */
int after_start(Front *front, const AfterSpec *spec, After **ret, Error *err);
/** after_cancel() - NULL is fine. Returns: NULL */
After *after_cancel(After *after);

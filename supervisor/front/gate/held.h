#pragma once
/*
 * held: tests that the author of a patch never sees. They are a layer of their own, which no jail of a task is
 * given; at the end of a verify it lies above the patched tree, and the spec's commands run once more. Names and
 * output of what fails there are for the person who holds the tests back: they stand in the verdict alone.
 */
#include "supervisor/front/gate/spec-run.h"
#include "supervisor/front/gate/trial.h"
#include "supervisor/front/gate/verdict.h"

typedef struct Held Held;

/** HeldDoneFn - once; @err: it could not be carried out; else the verdict given to held_start() has been told */
typedef void (*HeldDoneFn)(const Error *err, void *userdata);

typedef struct HeldSpec { /* borrowed until the end */
        const TrialGround *ground;
        const RunResult *base;
        const RunResult *green; /* the patched tree's own tests */
        const Touched *touched;
        uint64_t upper; /* of the patched tree: owned by the run from the start on */
        Verdict *
                verdict; /* `passed`: gets its member, and is `failed` where one of the tests fails */
        HeldDoneFn done;
        void *userdata;
} HeldSpec;

/** held_start() - Returns: 0 and @done will be called, unless cancelled; negative errno: upper stays the caller's */
int held_start(Front *front, const HeldSpec *spec, Held **ret, Error *err);
/** held_cancel() - NULL is fine. Returns: NULL */
Held *held_cancel(Held *held);

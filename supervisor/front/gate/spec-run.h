#pragma once
/*
 * spec-run: the commands of a verify spec (or its setup), one after the other, in one fresh jail; their
 * output is read by warder-files in another, which waits for it already while the command runs. One at a time is under
 * way: a jail, a command, or a job that reads.
 */
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/gate/results-job.h"
#include "supervisor/front/gate/run-result.h"

typedef struct SpecRun SpecRun;

/** SpecRunEventFn - a command begins; @run NULL; or it ended, and its tests were read */
typedef void (*SpecRunEventFn)(const char *id, const RunCommand *run, void *userdata);

typedef struct SpecRunEnd {
        const Error *err;  /* the commands could not be carried out; NULL otherwise */
        RunResult *result; /* owned by the receiver; NULL with @err */
        uint64_t upper;    /* of the jail, with root.keep_upper: the receiver drops it */
} SpecRunEnd;

/** SpecRunDoneFn - once */
typedef void (*SpecRunDoneFn)(const SpecRunEnd *end, void *userdata);

typedef struct SpecRunSpec {
        GateRoot root;    /* borrowed for the call; root.upper is owned by the run then … */
        bool upper_stays; /* … but not here: @done comes when nothing of the jail is left on it */
        const VerifyCommand *commands; /* borrowed until the end */
        unsigned n;
        ResultsJob
                *ahead; /* for the first command, owned by the run from the call on; NULL: none */
        SpecRunEventFn event; /* may be NULL */
        SpecRunDoneFn done;
        void *userdata;
} SpecRunSpec;

/**
 * spec_run_start() - begin
 *
 * A command that fails without naming tests ends the run: what comes after it was to build on it. A
 * command that names tests does not, so that one run names all failures. A limit ends the run.
 *
 * Returns: 0 and @done will be called, unless cancelled; negative errno: it will not, and root.upper
 *          still belongs to the caller.
 */
int spec_run_start(Front *front, const SpecRunSpec *spec, SpecRun **ret, Error *err);

/** spec_run_cancel() - end it; @done is not called any more. NULL is fine. Returns: NULL */
SpecRun *spec_run_cancel(SpecRun *run);

#pragma once
/*
 * base-run: which tests the base itself names, so that a verdict can tell a test that is gone or newly
 * skipped. Run once for a base, spec, snapshot, policy, limits and user, and kept in the ledger.
 */
#include "supervisor/front/gate/spec-run.h"

#define BASE_RUNS_MAX 256 /* kept; the oldest go */

typedef struct BaseRun BaseRun;

/** BaseRunFn - once; @result is owned by the receiver; NULL with @err */
typedef void (*BaseRunFn)(RunResult *result, const Error *err, void *userdata);

typedef struct BaseRunSpec {
        GateRoot root;           /* borrowed for the call; without an upper */
        const VerifySpec *spec;  /* borrowed until the end */
        const uint8_t *snapshot; /* digests */
        const uint8_t *policy;
        SpecRunEventFn event; /* may be NULL; with @userdata */
        BaseRunFn done;
        void *userdata;
} BaseRunSpec;

/**
 * base_run_get() - from the ledger, or by running
 * @ret_result: where it is known already
 * @ret_run:    where it is not; owned by the caller until @done
 *
 * Returns: 1 and @ret_result; 0 and @done will be called, unless cancelled; negative errno.
 */
int base_run_get(Front *front, const BaseRunSpec *spec, RunResult **ret_result, BaseRun **ret_run,
                 Error *err);
/** base_run_cancel() - NULL is fine. Returns: NULL */
BaseRun *base_run_cancel(BaseRun *run);

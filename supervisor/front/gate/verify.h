#pragma once
/*
 * verify: the gate. A patch, a base and a spec go in; a verdict comes out. Nothing that an agent runs has a
 * hand in it:
 *
 *   SHIELD   where the base has none that is kept: warder-files makes it (shield.h)
 *   APPLY    warder-files applies the patch to the base in a jail of its own; the protection layer
 *   BASE     the spec's commands on the base alone, where tests are named and it was not done before
 *   RUN      the spec's commands in a fresh jail: what apply left, setup, base, snapshot; again, each
 *            time in a jail of its own, until it is known whether as many runs pass as `reruns` needs
 *   AFTER    what is asked for besides, where that passed: test first, held-back tests (verify-after.h)
 *   DONE     the rules of verdict.h; the verdict as JSON
 */
#include "supervisor/front/gate/patch-apply.h"
#include "supervisor/front/gate/work-base.h"

typedef struct Verify Verify;

extern const PolicyUse verify_policy; /* of a verify, unless it names another: ci */

typedef enum VerifyState {
        VERIFY_SHIELD, /* a ShieldJob is under way, where the base has no shield yet */
        VERIFY_APPLY,  /* a PatchApply is under way */
        VERIFY_BASE,   /* a BaseRun is */
        VERIFY_RUN,    /* a SpecRun is */
        VERIFY_AFTER,  /* an After is */
        VERIFY_DONE,   /* the receiver is being told */
        _VERIFY_STATE_MAX,
} VerifyState;

typedef struct VerifyEnd {
        const Verdict *verdict; /* borrowed, like all here */
        const Touched *touched; /* NULL: the patch was not applied */
        const cJSON *json;      /* as formats.md; NULL: no memory */
        const char *detail;     /* bounded text for people and models; may be NULL */
        bool host_fault;        /* verdict error that no patch can mend */
} VerifyEnd;
/** VerifyDoneFn - once */
typedef void (*VerifyDoneFn)(const VerifyEnd *end, void *userdata);
/** VerifyEventFn - "apply", "base", "command", "results", "red", "old_tests", "hunk", "held", and results of these; @data is consumed, may be NULL */
typedef void (*VerifyEventFn)(const char *phase, cJSON *data, void *userdata);

typedef struct VerifyInput { /* borrowed until the end, but for patch_fd and limits */
        const VerifySpec *spec;
        const WorkBase *base;
        const char *snapshot;
        const PolicyUse *policy;
        const JailLimits *limits; /* NULL: the policy's */
        GateMeter *meter;         /* NULL: nobody counts what is used */
        uint32_t owner_uid;
        int patch_fd;         /* borrowed until the end; read from where it stands */
        const uint8_t *patch; /* digest of what must be read there; NULL: whatever it is */
        const char *task;     /* NULL: none */
        uint64_t n;
        VerifyEventFn event; /* may be NULL */
        VerifyDoneFn done;
        void *userdata;
} VerifyInput;

/** verify_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int verify_start(Front *front, const VerifyInput *input, Verify **ret, Error *err);
/** verify_cancel() - NULL is fine. Returns: NULL */
Verify *verify_cancel(Verify *verify);

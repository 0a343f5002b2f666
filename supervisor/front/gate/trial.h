#pragma once
/*
 * trial: the spec's commands on the base with a part of the patch, once, in fresh jails: what a verify runs besides
 * the tree that is delivered. Nothing of it is kept but what the commands did.
 */
#include "supervisor/front/gate/patch-apply.h"
#include "supervisor/front/gate/spec-run.h"
#include "supervisor/front/gate/work-base.h"

typedef struct Trial Trial;

/** TrialEventFn - a command of a trial has ended; @data is consumed */
typedef void (*TrialEventFn)(const char *phase, cJSON *data, void *userdata);

/* What all trials of a verify have in common; borrowed until their end */
typedef struct TrialGround {
        const VerifySpec *spec;
        const WorkBase *base;
        const Shield *shield;
        const char *snapshot;
        const PolicyUse *policy;
        const JailLimits *limits;
        GateMeter *meter; /* NULL: nobody counts what is used */
        uint32_t owner_uid;
        int patch_fd; /* a regular file: each trial reads it, from patch_at */
        uint64_t patch_at;
        const uint8_t *patch; /* digest of what must be read there */
        TrialEventFn event;   /* for every command of every trial */
        void *event_data;
} TrialGround;

typedef struct TrialEnd {
        const Error *err;  /* it could not be carried out; NULL otherwise */
        bool refused;      /* this part of the patch does not fit the base */
        RunResult *result; /* owned by the receiver; NULL with @err or @refused */
} TrialEnd;

/** TrialDoneFn - once */
typedef void (*TrialDoneFn)(const TrialEnd *end, void *userdata);

typedef struct TrialSpec {
        const TrialGround *ground; /* borrowed until the end */
        const char *phase;         /* of its events: "red_results"; a literal */
        PatchPart part;
        unsigned without; /* PATCH_PART_WITHOUT: number of the hunk, from 1 */
        TrialDoneFn done;
        void *userdata;
} TrialSpec;

/**
 * trial_find_patch() - from which byte on trials read the patch: they do so at the same time, so that none may move it
 * @ret_at: PATCH_AT_HERE where the spec asks for no trials
 *
 * Returns: 0; -EINVAL: it is a pipe.
 */
int trial_find_patch(const VerifySpec *spec, int patch_fd, uint64_t *ret_at, Error *err);

/** trial_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int trial_start(Front *front, const TrialSpec *spec, Trial **ret, Error *err);
/** trial_tell() - a command of @phase has ended, as an event of the ground; @run NULL: one begins, nothing is told */
void trial_tell(const TrialGround *ground, const char *phase, const RunCommand *run);
/** trial_cancel() - NULL is fine. Returns: NULL */
Trial *trial_cancel(Trial *trial);

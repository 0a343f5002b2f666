#pragma once
/*
 * setup-match: may the layer that setup made of one base serve another? The front reads no base: warder-files
 * takes the digest of the files that the spec's `key` names, and holds a layer against a base.
 */
#include "base/digest.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/gate/verify-spec.h"

typedef struct SetupMatch SetupMatch;

/**
 * SetupMatchFn - once
 * @digest: of the key's files; NULL: one of them is not there, and the base as a whole must serve
 * @hides:  the layer stands before files of the base, or takes some away
 */
typedef void (*SetupMatchFn)(const uint8_t *digest, bool hides, const Error *err, void *userdata);

typedef struct SetupMatchSpec {
        const VerifySpec *spec; /* borrowed for the call, like all here */
        const GateLayers *base; /* without a setup layer */
        const uint8_t *layer; /* hold this one against the base; NULL: take the digest of the key */
        uint32_t owner_uid;
        SetupMatchFn done;
        void *userdata;
} SetupMatchSpec;

/** setup_match_is_keyed() - has each command of setup a key, and are they few enough for one call */
bool setup_match_is_keyed(const VerifySpec *spec);
/** setup_match_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int setup_match_start(Front *front, const SetupMatchSpec *spec, SetupMatch **ret, Error *err);
/** setup_match_cancel() - NULL is fine. Returns: NULL */
SetupMatch *setup_match_cancel(SetupMatch *match);

#pragma once
/*
 * policy-read: one reading of a policy, all that it extends, and its filter, from the places or from a text.
 */
#include "base/digest.h"
#include "supervisor/front/policy/policy-file.h"
#include "supervisor/front/policy/policy-places.h"

typedef struct PolicyReader { /* all borrowed */
        const PolicyPlaces *places;
        const cJSON *schema;
        const FrontInfo *info;
} PolicyReader;

/** policy_read_profile() - compile seccomp/NAME.json; both owned by the caller. Returns: 0 or negative errno */
int policy_read_profile(const PolicyReader *reader, const char *name, int *ret_filter,
                        char **ret_notices, Error *err);

/** policy_read_digest() - SHA-256 of what holds: @rules, the filter, the name. Returns: 0 or -ENOMEM */
int policy_read_digest(const PolicyRules *rules, int filter, const char *name, uint8_t *ret,
                       Error *err);

typedef struct PolicyRead {
        PolicyRules said;  /* by the files */
        PolicyRules rules; /* made to fit each other and the host */
        int filter;        /* owned: sealed memfd */
        char *notices; /* owned: what of the seccomp profile is not done as written, a line each */
        uint8_t digest[DIGEST_SIZE];
} PolicyRead;

#define POLICY_READ_EMPTY ((PolicyRead){ .filter = -EBADF })

/** policy_read_deinit() - close the filter, free the notices */
void policy_read_deinit(PolicyRead *read);
static inline void policy_read_deinit_scoped(PolicyRead *read) {
        policy_read_deinit(read);
}

/** policy_read() - by name. Returns: 0; -ENOENT: no such policy; -EINVAL: a wrong file; or negative errno */
int policy_read(const PolicyReader *reader, const char *name, PolicyRead *ret, Error *err);

/**
 * policy_read_text() - of a text that is in no place yet; what it extends is
 * Returns: 0; -EINVAL with @fault; or negative errno with @err.
 */
int policy_read_text(const PolicyReader *reader, const PolicyText *text, PolicyRead *ret,
                     PolicyFault *fault, Error *err);

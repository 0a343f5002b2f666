#pragma once
/*
 * policies: NAME.json of the administrator (/etc/warder/policies), else the shipped one, each with what it
 * extends and its compiled filter. A policy is read when it is first asked for, and again when a file has
 * changed; where the new file is wrong the last good one stays.
 */
#include "supervisor/front/policy/policy-read.h"

typedef struct Policy
        Policy; /* lives as long as Policies, at one address; its values may be read anew */

/* What a jail that is made later needs to know of the policy that was taken for it: policies_hold() */
typedef struct PolicyUse {
        char shown[POLICY_NAME_MAX]; /* as the caller named it: the end of a file's name */
        char name
                [POLICY_NAME_MAX]; /* of the policy, or of the one that the caller's file extends */
        char profile
                [POLICY_NAME_MAX]; /* a seccomp profile of the caller's file; "": the policy's */
        bool is_own;               /* the caller's file: it has a digest of its own */
        uint8_t digest[DIGEST_SIZE];
} PolicyUse;

#define POLICY_USE(NAME) ((PolicyUse){ .shown = NAME, .name = NAME })

typedef struct PolicyHold { /* all borrowed */
        const Policy *policy;
        int filter; /* sealed memfd; its number stays while the front lives */
        const uint8_t *digest;
} PolicyHold;

/** policies_new() - of a directory with NAME.json, schema/policy.json and seccomp/NAME.json (borrowed) */
int policies_new(Front *front, int dir_fd, Policies **ret, Error *err);
/** policies_free() - Returns: NULL */
Policies *policies_free(Policies *policies);

/**
 * policies_find() - by name, for a jail: compiled, and what it requires is there
 * Returns: NULL with @err: -ENOENT no such policy, -EINVAL a wrong file, -ENOTSUP the host lacks something.
 */
const Policy *policies_find(Policies *policies, const char *name, Error *err);
/** policies_hold() - the same of what was taken earlier. Returns: 0, or as policies_find() */
int policies_hold(Policies *policies, const PolicyUse *use, PolicyHold *ret, Error *err);
/** policies_look() - the same for showing: what the host lacks is no matter */
const Policy *policies_look(Policies *policies, const char *name, Error *err);
/** policies_check_required() - does the host offer what @require lists. Returns: 0, -ENOTSUP */
int policies_check_required(const Policies *policies, unsigned require, const char *name,
                            Error *err);
/** policies_names() - of all directories, sorted; fresh array of strings */
cJSON *policies_names(Policies *policies);
/** policies_reader() - for texts that are in no place, borrowed */
const PolicyReader *policies_reader(const Policies *policies);

/** policy_name() - borrowed */
const char *policy_name(const Policy *policy);
/** policy_said() - what its files say, borrowed */
const PolicyRules *policy_said(const Policy *policy);
/** policy_rules() - the same made to fit each other and the host, borrowed */
const PolicyRules *policy_rules(const Policy *policy);
/** policy_fault() - why the file that is there now is not in force; "" where it is. Borrowed */
const char *policy_fault(const Policy *policy);
/** policy_notices() - what of its seccomp profile is not done as written, a line each, "" for nothing. Borrowed */
const char *policy_notices(const Policy *policy);
/** policy_limits() - effective limits, borrowed */
const JailLimits *policy_limits(const Policy *policy);
/** policy_filter() - sealed memfd, borrowed; its number stays when the policy is read anew */
int policy_filter(const Policy *policy);
/** policy_digest() - SHA-256 of the effective policy, 32 bytes, borrowed */
const uint8_t *policy_digest(const Policy *policy);

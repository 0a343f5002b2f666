#pragma once
/*
 * verify-spec: a verify/1 object, checked: the setup commands, the commands that prove a change right,
 * and the globs of files that a change may not touch.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/owned.h"
#include "supervisor/front/gate/verify-command.h"

#define VERIFY_COMMANDS_MAX 16
#define VERIFY_SETUP_MAX    8
#define VERIFY_GLOBS_MAX    64
#define VERIFY_EXPECT_MAX   256
#define VERIFY_HUNKS        50 /* where the spec says nothing */
#define VERIFY_HUNKS_MAX    1000
#define VERIFY_JOBS_MAX     16

typedef struct VerifyTdd { /* test first: proof.h */
        bool asked;
        bool any_failure; /* a test that cannot run on the base, or breaks there, is red too */
        bool strict;      /* a hunk that nothing proves fails the verdict */
        unsigned hunks;   /* so many are tried */
        unsigned jobs;    /* side by side; 0: as many as the host has processors */
} VerifyTdd;

typedef struct VerifySpec {
        cJSON *json; /* owned: a copy of what was given */
        VerifyCommand setup[VERIFY_SETUP_MAX];
        unsigned n_setup;
        VerifyCommand commands[VERIFY_COMMANDS_MAX];
        unsigned n_commands;
        const char *protect[VERIFY_GLOBS_MAX]; /* borrowed; the default list where none is given */
        unsigned n_protect;
        const char *allow[VERIFY_GLOBS_MAX];
        unsigned n_allow;
        const char *expect[VERIFY_EXPECT_MAX]; /* names of tests that must newly pass; borrowed */
        unsigned n_expect;
        const char *rules
                [VERIFY_GLOBS_MAX]; /* of the protected: no tests, but what says how they run */
        unsigned n_rules;
        const char
                *scope[VERIFY_GLOBS_MAX]; /* what a change may touch without a remark; none: all */
        unsigned n_scope;
        unsigned veto; /* BIT(RemarkCheck): such a remark fails the verdict (remarks.h) */
        VerifyTdd tdd;
        unsigned need, of; /* reruns: so many runs of so many must pass; 1 of 1 by default */
        uint8_t digest[DIGEST_SIZE]; /* of the canonical text of json */
} VerifySpec;

/**
 * verify_spec_new() - check a verify/1 object and read it
 * @json: borrowed; copied
 * @ret:  owned by the caller
 *
 * Returns: 0; -EINVAL with the field in @fault, and what it should be; -ENOMEM.
 */
int verify_spec_new(const cJSON *json, VerifySpec **ret, SchemaFault *fault);
/**
 * verify_spec_check() - the same spec with the checks of a workflow: what either vetoes is vetoed, and a scope of
 * its own stays
 * @checks: {"scope", "veto"}, borrowed
 * @spec:   replaced by the new one
 *
 * Returns: as verify_spec_new(); paths begin at the spec.
 */
int verify_spec_check(VerifySpec **spec, const cJSON *checks, SchemaFault *fault);
/** verify_spec_fits() - does no command of it ask for more than @limits, the policy's. Returns: 0, or -EPERM with the field */
int verify_spec_fits(const VerifySpec *spec, const JailLimits *limits, SchemaFault *fault);
/** verify_spec_free() - NULL is fine. Returns: NULL */
VerifySpec *verify_spec_free(VerifySpec *spec);
DEFINE_SCOPED(VerifySpec *, verify_spec_free);

/** verify_spec_names_tests() - does a command of it name or count tests, so that the base must run too */
bool verify_spec_names_tests(const VerifySpec *spec);

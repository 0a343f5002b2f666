/*
 * policies: see policies.h.
 *
 * A policy and its filter, which takes milliseconds to compile, are read when first asked for and kept. A
 * Policy stays at its address, and its filter at its descriptor's number, when it is read anew: who has
 * either while a jail is being made keeps something whole.
 */
#include "supervisor/front/policy/policies.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/policy/policy-read.h"

struct Policy {
        Policy *next;
        char name[POLICY_NAME_MAX];
        unsigned generation; /* of the places, when it was looked at last */
        bool is_gone;        /* its file was removed */
        char fault[ERROR_TEXT_MAX];
        PolicyRead now;
};

typedef struct Profile Profile;

struct Profile { /* a seccomp profile that a caller's own file chose */
        Profile *next;
        char name[POLICY_NAME_MAX];
        unsigned generation;
        int filter; /* owned */
};

struct Policies {
        Front *front;         /* borrowed, outlives us */
        PolicyPlaces *places; /* owned */
        cJSON *schema;        /* owned */
        PolicyReader reader;
        Policy *first;     /* owned */
        Profile *profiles; /* owned */
};

/* ---- all that were asked for ---------------------------------------------------------------------- */

DEFINE_SCOPED(Policies *, policies_free);

int policies_new(Front *front, int dir_fd, Policies **ret, Error *err) {
        SCOPED(policies_free) Policies *policies = calloc(1, sizeof(Policies));
        SCOPED(place_file_deinit) PlaceFile file = { 0 };
        int r;

        if (!policies)
                return error_set(err, -ENOMEM, "read the policies");
        policies->front = front;
        r = policy_places_new(front, dir_fd, &policies->places, err);
        if (r >= 0)
                r = policy_places_read(policies->places, "schema/policy.json", 1, &file, err);
        if (r >= 0)
                r = json_parse(file.text, file.n, JSON_COMMENTS, &policies->schema, err);
        if (r < 0)
                return r;
        policies->reader = (PolicyReader){ policies->places, policies->schema, &front->info };
        *ret = TAKE_PTR(policies);
        return 0;
}

static Policy *policy_free(Policy *policy) {
        if (policy)
                policy_read_deinit(&policy->now);
        free(policy);
        return NULL;
}
DEFINE_SCOPED(Policy *, policy_free);

Policies *policies_free(Policies *policies) {
        if (!policies)
                return NULL;
        while (policies->first) {
                Policy *first = policies->first;

                policies->first = first->next;
                policy_free(first);
        }
        while (policies->profiles) {
                Profile *first = policies->profiles;

                policies->profiles = first->next;
                (void) close(first->filter);
                free(first);
        }
        policies->places = policy_places_free(policies->places);
        json_free(policies->schema);
        free(policies);
        return NULL;
}

/* The number of the filter's descriptor stays: see above. */
static int replace(Policy *policy, PolicyRead *read, Error *err) {
        const int filter = policy->now.filter, fresh = read->filter;

        if (dup3(fresh, filter, O_CLOEXEC) < 0)
                return error_set(err, -errno, "replace the filter of policy %s", policy->name);
        free(policy->now.notices);
        policy->now = *read;
        policy->now.filter = filter;
        *read = POLICY_READ_EMPTY;
        read->filter = fresh;
        return 0;
}

static void tell_notices(const Policy *policy) {
        if (policy->now.notices && *policy->now.notices)
                log_event(LOG_NOTICE, "a seccomp profile is not used as it is written",
                          F("POLICY", policy->name), F("PROFILE", policy->now.rules.seccomp),
                          F("NOTICES", policy->now.notices));
}

static void read_anew(const Policies *policies, Policy *policy) {
        SCOPED(policy_read_deinit) PolicyRead read = POLICY_READ_EMPTY;
        Error err = ERROR_EMPTY;
        int r = policy_read(&policies->reader, policy->name, &read, &err);

        policy->fault[0] = '\0';
        policy->is_gone = r == -ENOENT;
        if (r >= 0)
                r = replace(policy, &read, &err);
        if (r >= 0)
                tell_notices(policy);
        if (r >= 0 || policy->is_gone)
                return;
        (void) snprintf(policy->fault, sizeof policy->fault, "%s", err.text);
        log_event(LOG_ERR, "a changed policy is wrong: the last good one stays in force",
                  F("POLICY", policy->name), F_ERR(&err));
}

static int policy_new(Policies *policies, const char *name, Policy **ret, Error *err) {
        SCOPED(policy_free) Policy *policy = calloc(1, sizeof(Policy));
        int r;

        if (!policy)
                return error_set(err, -ENOMEM, "read policy %s", name);
        policy->now = POLICY_READ_EMPTY;
        policy->generation = policy_places_generation(policies->places);
        (void) snprintf(policy->name, sizeof policy->name, "%s", name);
        r = policy_read(&policies->reader, name, &policy->now, err);
        if (r < 0)
                return r;
        tell_notices(policy);
        policy->next = policies->first;
        policies->first = policy;
        *ret = TAKE_PTR(policy);
        return 0;
}

const Policy *policies_look(Policies *policies, const char *name, Error *err) {
        unsigned generation = policy_places_generation(policies->places);
        Policy *policy = policies->first;
        Error own = ERROR_EMPTY;

        err = err ? err : &own;
        if (!name_is_valid(name)) {
                (void) error_say(err, -EINVAL, "\"%.64s\" is no name of a policy", name);
                return NULL;
        }
        while (policy && strcmp(policy->name, name) != 0)
                policy = policy->next;
        if (!policy && policy_new(policies, name, &policy, err) < 0)
                return NULL;
        if (policy->generation != generation)
                read_anew(policies, policy);
        policy->generation = generation;
        if (!policy->is_gone)
                return policy;
        (void) error_say(err, -ENOENT, "there is no policy %s any more: see `warder policy list`",
                         name);
        return NULL;
}

int policies_check_required(const Policies *policies, unsigned require, const char *name,
                            Error *err) {
        if ((require & REQUIRE_LANDLOCK) && policies->front->info.landlock_abi == 0)
                return error_say(err, -ENOTSUP,
                                 "policy %s requires Landlock, which this kernel "
                                 "lacks: choose another policy",
                                 name);
        if ((require & REQUIRE_PSI) && !pressure_has_psi(policies->front->pressure))
                return error_say(err, -ENOTSUP,
                                 "policy %s requires pressure information (PSI), which this "
                                 "kernel lacks: choose another policy",
                                 name);
        return 0;
}

const Policy *policies_find(Policies *policies, const char *name, Error *err) {
        const Policy *policy = policies_look(policies, name, err);

        if (policy && policies_check_required(policies, policy->now.rules.require, name, err) < 0)
                return NULL;
        return policy;
}

/* ---- a profile of a caller's own file ------------------------------------------------------------- */

/* Anew where a file has changed, behind the same number; the old one stays in force where that is wrong. */
static int profile_read(Policies *policies, Profile *profile, Error *err) {
        autofree char *notices = NULL;
        autoclose int filter = -EBADF;
        int r = policy_read_profile(&policies->reader, profile->name, &filter, &notices, err);

        if (r < 0)
                return r;
        profile->generation = policy_places_generation(policies->places);
        if (profile->filter < 0)
                profile->filter = TAKE_FD(filter);
        else if (dup3(filter, profile->filter, O_CLOEXEC) < 0)
                return error_set(err, -errno, "replace the filter %s", profile->name);
        return 0;
}

/* Few: a caller's file may name the shipped ones only (policy_file_apply()). */
static int find_profile(Policies *policies, const char *name, int *ret, Error *err) {
        autofree Profile *fresh = NULL;
        Profile *profile = policies->profiles;
        int r;

        while (profile && strcmp(profile->name, name) != 0)
                profile = profile->next;
        if (!profile) {
                fresh = calloc(1, sizeof *fresh);
                if (!fresh)
                        return error_set(err, -ENOMEM, "read the seccomp profile %s", name);
                (void) snprintf(fresh->name, sizeof fresh->name, "%s", name);
                fresh->filter = -EBADF;
                r = profile_read(policies, fresh, err);
                if (r < 0)
                        return r;
                profile = TAKE_PTR(fresh);
                profile->next = policies->profiles;
                policies->profiles = profile;
        }
        if (profile->generation != policy_places_generation(policies->places))
                (void) profile_read(policies, profile, NULL);
        *ret = profile->filter;
        return 0;
}

int policies_hold(Policies *policies, const PolicyUse *use, PolicyHold *ret, Error *err) {
        const Policy *policy = policies_find(policies, use->name, err);
        PolicyHold hold = { .policy = policy };
        int r = 0;

        if (!policy)
                return err && err->code ? err->code : -ENOENT;
        hold.filter = policy->now.filter;
        hold.digest = use->is_own ? use->digest : policy->now.digest;
        if (use->profile[0])
                r = find_profile(policies, use->profile, &hold.filter, err);
        if (r >= 0)
                *ret = hold;
        return r;
}

cJSON *policies_names(Policies *policies) {
        return policy_places_names(policies->places);
}

const PolicyReader *policies_reader(const Policies *policies) {
        return &policies->reader;
}

/* ---- one policy ----------------------------------------------------------------------------------- */

const char *policy_name(const Policy *policy) {
        return policy->name;
}

const PolicyRules *policy_rules(const Policy *policy) {
        return &policy->now.rules;
}

const char *policy_fault(const Policy *policy) {
        return policy->fault;
}

const PolicyRules *policy_said(const Policy *policy) {
        return &policy->now.said;
}

const JailLimits *policy_limits(const Policy *policy) {
        return &policy->now.rules.limits;
}

const char *policy_notices(const Policy *policy) {
        return policy->now.notices ? policy->now.notices : "";
}

int policy_filter(const Policy *policy) {
        return policy->now.filter;
}

const uint8_t *policy_digest(const Policy *policy) {
        return policy->now.digest;
}

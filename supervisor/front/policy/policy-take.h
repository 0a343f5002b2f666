#pragma once
/*
 * policy-take: what one request gets: the policy that it names, or the caller's own file over one, below
 * the caller's ceilings, tightened by the request's limits.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/policy/ceilings.h"
#include "supervisor/front/policy/policies.h"

typedef struct PolicyAsk {     /* all borrowed */
        const cJSON *policy;   /* of the request; NULL: @otherwise */
        const char *otherwise; /* name of the policy where none is asked for */
        const cJSON *limits;   /* of the request; NULL: none */
        bool show;             /* what the host lacks is no matter */
} PolicyAsk;

typedef struct PolicyTaken {
        PolicyUse use;
        const Policy *policy; /* the one named, or the one that the caller's file extends */
        int filter;           /* borrowed */
        PolicyRules rules;    /* what holds */
        char ceiling[_LIMIT_FIELD_MAX]
                    [CEILING_SOURCE_MAX]; /* whose ceiling lowered it; "" where none did */
} PolicyTaken;

/**
 * policy_take() - for @call's caller
 * Returns: 0, or negative errno with call_refuse() done: the pointer of the field, the bound, whose it is.
 */
int policy_take(Front *front, Call *call, const PolicyAsk *ask, PolicyTaken *ret, Error *err);

/** policy_taken_origin() - who said what holds for field @i, into @text of POLICY_ORIGIN_MAX; "" if nobody. Returns: @text */
const char *policy_taken_origin(const PolicyTaken *taken, unsigned i, char *text);

/**
 * policy_take_bound() - bring limits below a user's ceilings, for a jail that no request named limits for
 * @wall: the wall time too
 */
int policy_take_bound(Front *front, uint32_t uid, bool wall, JailLimits *limits, Error *err);

/** policy_take_host_root() - may the snapshot "host" be used. Returns: 0, or -EPERM with call_refuse() done */
int policy_take_host_root(Call *call, const PolicyTaken *taken, Error *err);

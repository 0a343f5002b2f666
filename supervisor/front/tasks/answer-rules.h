#pragma once
/*
 * answer-rules: who may answer what a task asks, and how long it waits: the member "people" of a policy. No
 * side effects.
 *
 * Root may always, as it may end and look into everything. Where no policy says anything the owner may, alone.
 */
#include "base/json.h"

#define ANSWER_GROUPS_MAX 8u
#define ANSWER_WAIT_USEC  (7ull * 86400 * 1000000)  /* where nobody says how long */
#define ANSWER_WAIT_MOST  (30ull * 86400 * 1000000) /* whatever anybody says */
#define ANSWER_TEXT_MAX   24                        /* "group:4294967295" */
#define ANSWER_OWNER      1u
#define ANSWER_ADMIN      2u

typedef struct AnswerRules {
        bool is_said;   /* by a policy: what extends it may only name fewer */
        unsigned kinds; /* ANSWER_* */
        unsigned n_groups;
        uint32_t groups[ANSWER_GROUPS_MAX];
        uint64_t wait_usec; /* at most; 0: nobody said */
} AnswerRules;

typedef struct AnswerWho { /* borrowed */
        uint32_t uid;
        bool admin; /* of the group warder-admin, or root */
        const uint32_t *gids;
        unsigned n_gids;
} AnswerWho;

/**
 * answer_rules_take() - what a policy's "people" says, over what its parent said
 * @people: fits the policy's schema; NULL: nothing is said
 * @child:  it has a parent: it may only name whom that names, and wait no longer
 *
 * Returns: 0; -EPERM with what it loosens; -EINVAL with what is wrong. Then @rules are as they were.
 */
int answer_rules_take(AnswerRules *rules, const cJSON *people, bool child, Error *err);
/** answer_rules_wait() - the longest wait. Returns: microseconds */
uint64_t answer_rules_wait(const AnswerRules *rules);
/** answer_rules_json() - {"answer": ["owner"], "wait": 604800000000}, microseconds; fresh; NULL: no memory */
cJSON *answer_rules_json(const AnswerRules *rules);
/** answer_rules_allow() - may @who answer for a task of @owner_uid */
bool answer_rules_allow(const AnswerRules *rules, uint32_t owner_uid, const AnswerWho *who);

#pragma once
/*
 * guard-rules: when a role's work counts as going round in circles, and what happens then. Every guard is finite, and
 * each is an end of its own with its name; a role sets its numbers and cannot take one away. What a model says
 * changes none of them.
 */
#include "agent/cause.h"
#include "base/json.h"

typedef enum Guard {
        GUARD_SAME_CALL,   /* the same tool call, times in a row */
        GUARD_ALTERNATING, /* two calls that take turns, pairs in a row */
        GUARD_NO_EDIT, /* turns of a step in a row in which a role that may edit edited nothing */
        GUARD_CLAIMS,  /* times that a step said it was done, with no verify in between */
        _GUARD_MAX
} Guard;

#define GUARD_MOST 1000

typedef struct GuardRule {
        unsigned tell; /* here the model is told; 0: never */
        unsigned end;  /* here the run ends */
} GuardRule;

typedef struct GuardRules {
        GuardRule of[_GUARD_MAX];
} GuardRules;

#define GUARD_RULE_SCHEMA                                                                \
        "{\"oneOf\":[{\"type\":\"integer\",\"minimum\":2,\"maximum\":1000},"             \
        "{\"type\":\"object\",\"required\":[\"end\"],\"additionalProperties\":false,"    \
        "\"properties\":{\"end\":{\"type\":\"integer\",\"minimum\":2,\"maximum\":1000}," \
        "\"tell\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}}}]}"

/* Of a role's member "guards". */
#define GUARD_RULES_SCHEMA                                                       \
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"   \
        "\"same_call\":" GUARD_RULE_SCHEMA ",\"alternating\":" GUARD_RULE_SCHEMA \
        ",\"no_edit\":" GUARD_RULE_SCHEMA ",\"claims\":" GUARD_RULE_SCHEMA "}}"

/** guard_name() - "same_call": its name in a role and as a cause. Returns: static text */
const char *guard_name(Guard guard);
/** guard_cause() - the end that it makes */
Cause guard_cause(Guard guard);

/**
 * guard_rules_read() - the numbers of a role's "guards", which fits GUARD_RULES_SCHEMA; the default where it has none
 * @guards: NULL: none
 *
 * Returns: 0, or -EINVAL: a role that would tell only after the end.
 */
int guard_rules_read(const cJSON *guards, GuardRules *ret_rules, Error *err);

#pragma once
/*
 * policy-file: the text of a policy as a value, with where each part of it came from. No side effects: who
 * finds files and follows "extends" is policies.h.
 */
#include "base/egress.h"
#include "supervisor/front/policy/policy-limits.h"
#include "supervisor/front/tasks/answer-rules.h"

#define POLICY_TEXT_MAX    (64 * 1024)
#define POLICY_NAME_MAX    65 /* see name_is_valid() */
#define POLICY_SOURCE_MAX  256
#define POLICY_SOURCES_MAX 8
#define POLICY_ORIGIN_MAX  (POLICY_SOURCE_MAX + 16)

typedef enum PolicyRequire { REQUIRE_LANDLOCK = 1, REQUIRE_PSI = 2 } PolicyRequire;

enum { /* fields beyond LimitField */
       POLICY_NETWORK = _LIMIT_FIELD_MAX,
       POLICY_BINDS,
       POLICY_PROC,
       POLICY_HOST_ROOT,
       POLICY_SECCOMP,
       POLICY_REQUIRE,
       POLICY_ANSWER,
       POLICY_WAIT,
       POLICY_EGRESS,
       _POLICY_FIELD_MAX,
};

#define POLICY_FROM_FIT UINT32_MAX /* policy_settle() */

typedef struct PolicyOrigin {
        uint32_t source; /* index into sources, or POLICY_FROM_FIT */
        uint32_t line;   /* 0: none */
} PolicyOrigin;

typedef struct PolicyRules { /* what a policy and its parents say */
        JailLimits limits;
        bool host_root;
        bool binds;       /* "rw": a caller's directory may be changed by the jail */
        unsigned require; /* PolicyRequire */
        AnswerRules people;
        char egress
                [EGRESS_ALLOWED_MAX]; /* "a,b": what a request to a model may ask for beside what is known */
        char seccomp[POLICY_NAME_MAX];
        char description[164]; /* of the file itself, not of a parent; "" for none */
        unsigned n_sources;
        char sources[POLICY_SOURCES_MAX][POLICY_SOURCE_MAX]; /* as shown to people */
        PolicyOrigin from[_POLICY_FIELD_MAX];
} PolicyRules;

typedef struct PolicyText { /* all borrowed */
        const char *file;   /* as shown to people */
        const char *text;
        size_t n;
        const cJSON *schema; /* policies/schema/policy.json */
        const char *const
                *without; /* JSON pointers of fields that are read over; see policy.check */
        unsigned n_without;
} PolicyText;

typedef struct PolicyFault { /* of a file */
        char file[POLICY_SOURCE_MAX];
        unsigned line;   /* 0: of the file as a whole */
        char field[128]; /* JSON pointer, "" for the whole */
        char reason[384];
} PolicyFault;

/** policy_file_parse() - JSON with comments that fits the schema. Returns: 0, -ENOMEM, -EINVAL with @fault; owned by the caller */
int policy_file_parse(const PolicyText *text, cJSON **ret_json, PolicyFault *fault);

/**
 * policy_file_apply() - put what @json says over what its parents said
 * @rules: of the parent, or all 0; on failure half changed
 * @child: it has a parent: what would loosen is refused
 *
 * Returns: 0 or -EINVAL with @fault.
 */
int policy_file_apply(PolicyRules *rules, const PolicyText *text, const cJSON *json, bool child,
                      PolicyFault *fault);

/** policy_fault_set() - fill @fault about @pointer of @text. Returns: -EINVAL */
int policy_fault_set(PolicyFault *fault, const PolicyText *text, const char *pointer,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/** policy_fault_error() - as one sentence, "FILE:LINE: FIELD: REASON". Returns: -EINVAL */
int policy_fault_error(const PolicyFault *fault, Error *err);

/** policy_pointer() - of a field: "/limits/memory", "/binds". Returns: static */
const char *policy_pointer(unsigned field);

/** policy_origin() - "FILE:LINE" of where field @i was said last into @text of POLICY_ORIGIN_MAX; "" if nowhere. Returns: @text */
const char *policy_origin(const PolicyRules *rules, unsigned i, char *text);

/** policy_settle() - limits_settle(), with origins. Returns: as that */
uint32_t policy_settle(PolicyRules *rules, const FrontInfo *info);

/** policy_rules_json() - @rules as an object, plain numbers; fresh, NULL: no memory */
cJSON *policy_rules_json(const PolicyRules *rules);

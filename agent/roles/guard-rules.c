/*
 * guard-rules: the table.
 */
#include "agent/roles/guard-rules.h"

static const struct {
        const char *name;
        Cause cause;
        GuardRule otherwise;
} rows[_GUARD_MAX] = {
        [GUARD_SAME_CALL] = { "same_call", CAUSE_SAME_CALL, { 3, 5 } },
        [GUARD_ALTERNATING] = { "alternating", CAUSE_ALTERNATING, { 3, 5 } },
        [GUARD_NO_EDIT] = { "no_edit", CAUSE_NO_EDIT, { 20, 30 } },
        [GUARD_CLAIMS] = { "claims", CAUSE_CLAIMS, { 0, 3 } },
};

const char *guard_name(Guard guard) {
        return rows[guard].name;
}

Cause guard_cause(Guard guard) {
        return rows[guard].cause;
}

/* A number alone is where it ends; then the model is told where it would be by default, if that is before. */
static GuardRule read_rule(const cJSON *json, GuardRule rule) {
        uint64_t end = rule.end, tell = 0;

        if (cJSON_IsNumber(json)) {
                end = (uint64_t) json->valueint;
                tell = rule.tell < end ? rule.tell : 0;
        } else {
                (void) json_number(json, "end", &end);
                (void) json_number(json, "tell", &tell);
        }
        return (GuardRule){ .tell = (unsigned) tell, .end = (unsigned) end };
}

int guard_rules_read(const cJSON *guards, GuardRules *ret_rules, Error *err) {
        for (unsigned i = 0; i < _GUARD_MAX; i++) {
                const cJSON *json = json_get(guards, rows[i].name);
                GuardRule *rule = &ret_rules->of[i];

                *rule = rows[i].otherwise;
                if (json)
                        *rule = read_rule(json, *rule);
                if (rule->tell >= rule->end)
                        return error_say(err, -EINVAL,
                                         "/guards/%s/tell: the model can only be told before the "
                                         "end",
                                         rows[i].name);
        }
        return 0;
}

/*
 * answer-rules: see answer-rules.h.
 */
#include "supervisor/front/tasks/answer-rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

static const AnswerRules nobody_said = { .kinds = ANSWER_OWNER };

static bool has_group(const AnswerRules *rules, uint32_t gid) {
        for (unsigned i = 0; i < rules->n_groups; i++)
                if (rules->groups[i] == gid)
                        return true;
        return false;
}

/* "owner", "admin", "group:1500" */
static int add_word(AnswerRules *rules, const char *word, Error *err) {
        uint64_t gid = 0;

        if (strcmp(word, "owner") == 0) {
                rules->kinds |= ANSWER_OWNER;
        } else if (strcmp(word, "admin") == 0) {
                rules->kinds |= ANSWER_ADMIN;
        } else if (strncmp(word, "group:", 6) != 0 || units_parse_number(word + 6, &gid, err) < 0 ||
                   gid >= UINT32_MAX) {
                return error_say(err, -EINVAL,
                                 "\"%.40s\" is not \"owner\", \"admin\" or "
                                 "\"group:NUMBER\"",
                                 word);
        } else if (!has_group(rules, (uint32_t) gid)) {
                if (rules->n_groups == ANSWER_GROUPS_MAX)
                        return error_say(err, -EINVAL, "more than %u groups", ANSWER_GROUPS_MAX);
                rules->groups[rules->n_groups++] = (uint32_t) gid;
        }
        return 0;
}

static int take_answer(AnswerRules *rules, const cJSON *list, bool child, Error *err) {
        AnswerRules said = { .is_said = true, .wait_usec = rules->wait_usec };
        bool binds = child && rules->is_said;
        const cJSON *word;
        int r = 0;

        cJSON_ArrayForEach(word, list) {
                if (r == 0)
                        r = add_word(&said, word->valuestring, err);
        }
        if (r < 0)
                return r;
        if (binds && (said.kinds & ~rules->kinds))
                return error_say(err, -EPERM, "%s may not answer",
                                 said.kinds & ~rules->kinds & ANSWER_OWNER ? "the owner"
                                                                           : "an administrator");
        for (unsigned i = 0; binds && i < said.n_groups; i++)
                if (!has_group(rules, said.groups[i]))
                        return error_say(err, -EPERM, "group %u may not answer", said.groups[i]);
        *rules = said;
        return 0;
}

static int take_wait(AnswerRules *rules, const char *text, bool child, Error *err) {
        uint64_t usec;
        char most[UNITS_TEXT_MAX];
        int r = units_parse_duration(text, &usec, err);

        if (r < 0)
                return r;
        if (usec == 0 || usec > ANSWER_WAIT_MOST)
                return error_say(err, -EINVAL, "a time from 1s to 30d is needed");
        if (child && rules->wait_usec && usec > rules->wait_usec)
                return error_say(err, -EPERM, "it is more than %s",
                                 units_format_duration(rules->wait_usec, most));
        rules->wait_usec = usec;
        return 0;
}

int answer_rules_take(AnswerRules *rules, const cJSON *people, bool child, Error *err) {
        const cJSON *answer = json_get(people, "answer");
        const char *wait = json_text(people, "wait");
        AnswerRules now = *rules;
        int r = answer ? take_answer(&now, answer, child, err) : 0;

        if (r == 0 && wait)
                r = take_wait(&now, wait, child, err);
        if (r == 0)
                *rules = now;
        return r;
}

uint64_t answer_rules_wait(const AnswerRules *rules) {
        return rules->wait_usec ? rules->wait_usec : ANSWER_WAIT_USEC;
}

cJSON *answer_rules_json(const AnswerRules *rules) {
        const AnswerRules *said = rules->is_said ? rules : &nobody_said;
        cJSON *json = cJSON_CreateObject(), *list = json_add_array(json, "answer");
        char text[ANSWER_TEXT_MAX + 8];

        if (said->kinds & ANSWER_OWNER)
                json_push_text(list, "owner");
        if (said->kinds & ANSWER_ADMIN)
                json_push_text(list, "admin");
        for (unsigned i = 0; i < said->n_groups; i++) {
                (void) snprintf(text, sizeof(text), "group:%u", said->groups[i]);
                json_push_text(list, text);
        }
        if (json_add_number(json, "wait", answer_rules_wait(rules)))
                return json;
        return json_free(json);
}

bool answer_rules_allow(const AnswerRules *rules, uint32_t owner_uid, const AnswerWho *who) {
        const AnswerRules *said = rules->is_said ? rules : &nobody_said;

        if (who->uid == 0 || (said->kinds & ANSWER_OWNER && who->uid == owner_uid) ||
            (said->kinds & ANSWER_ADMIN && who->admin))
                return true;
        for (unsigned i = 0; i < who->n_gids; i++)
                if (has_group(said, who->gids[i]))
                        return true;
        return false;
}

/*
 * question-form: see question-form.h.
 */
#include "supervisor/front/tasks/question-form.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "base/schema.h"
#include "base/units.h"
#include "supervisor/front/tasks/task-ask.h"

#define SCHEMA_BYTES_MAX 4096u

#define TEXT(LEAST, MAX) "{\"type\":\"string\",\"minLength\":" #LEAST ",\"maxLength\":" #MAX "}"
#define ABOUT                                                                        \
        "{\"enum\":[\"question\",\"plan\",\"apply\",\"push\",\"export\",\"deploy\"," \
        "\"time\"]}"
#define CHOICES "{\"type\":\"array\",\"minItems\":2,\"maxItems\":20,\"items\":" TEXT(1, 400) "}"
#define WAIT    "{\"type\":\"integer\",\"minimum\":1000000,\"maximum\":2592000000000}"

/* clang-format off */
const char task_ask_schema[] =
        "{\"type\":\"object\",\"required\":[\"path\",\"text\"],\"additionalProperties\":false,"
        "\"properties\":{"
        "\"path\":" TEXT(1, 599) ","
        "\"about\":" ABOUT ","
        "\"text\":" TEXT(1, 16384) ","
        "\"plan\":" TEXT(0, 65536) ","
        "\"choices\":" CHOICES ","
        "\"schema\":{\"type\":\"object\"},"
        "\"otherwise\":{},"
        "\"wait_usec\":" WAIT ","
        "\"more\":{\"type\":\"boolean\"},"
        "\"stay\":{\"type\":\"boolean\"}}}";
/* clang-format on */

bool question_form_is_approval(const cJSON *what) {
        const char *about = json_text(what, "about");

        return about && strcmp(about, "question") != 0;
}

bool question_form_is_time(const cJSON *what) {
        const char *about = json_text(what, "about");

        return about && strcmp(about, "time") == 0;
}

/* ---- schemas --------------------------------------------------------------------------------------- */

static bool is_plain_list(const cJSON *list);

/* Keywords whose cost is that of the answer times that of the schema */
static bool is_plain(const cJSON *schema) {
        static const char *const plain[] = {
                "type",
                "required",
                "enum",
                "const",
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "description",
                "title",
                "exclusiveMinimum",
                "exclusiveMaximum",
        };
        const cJSON *item;

        cJSON_ArrayForEach(item, schema) {
                bool known = false;

                for (unsigned i = 0; i < ELEMENTS(plain); i++)
                        known |= strcmp(plain[i], item->string) == 0;
                if (strcmp(item->string, "properties") == 0 || strcmp(item->string, "anyOf") == 0)
                        known = is_plain_list(item);
                if (strcmp(item->string, "items") == 0 ||
                    strcmp(item->string, "additionalProperties") == 0)
                        known = cJSON_IsBool(item) || (cJSON_IsObject(item) && is_plain(item));
                if (!known)
                        return false;
        }
        return true;
}

static bool is_plain_list(const cJSON *list) {
        const cJSON *item;

        cJSON_ArrayForEach(item, list) {
                if (!cJSON_IsBool(item) && (!cJSON_IsObject(item) || !is_plain(item)))
                        return false;
        }
        return cJSON_IsObject(list) || cJSON_IsArray(list);
}

static int check_schema(const cJSON *schema, Error *err) {
        SCOPED(json_free) cJSON *none = cJSON_CreateNull();
        autofree char *text = json_print(schema);
        SchemaFault fault = { 0 };

        if (!text || !none)
                return error_set(err, -ENOMEM, "look at a schema");
        if (strlen(text) > SCHEMA_BYTES_MAX || !is_plain(schema))
                return error_say(err, -EINVAL,
                                 "the schema of an answer has at most %u bytes and only type, "
                                 "properties, required, additionalProperties, items, anyOf, enum, "
                                 "const and bounds",
                                 SCHEMA_BYTES_MAX);
        if (schema_check(schema, none, &fault) == -ENOTSUP)
                return error_say(err, -EINVAL, "the schema of an answer is none: %s", fault.text);
        return 0;
}

/* ---- questions ------------------------------------------------------------------------------------- */

static int check_choices(const cJSON *choices, Error *err) {
        const cJSON *one, *other;

        cJSON_ArrayForEach(one, choices) {
                for (other = one->next; other; other = other->next)
                        if (strcmp(one->valuestring, other->valuestring) == 0)
                                return error_say(err, -EINVAL, "the choice \"%.100s\" twice",
                                                 one->valuestring);
        }
        return 0;
}

int question_form_check(const cJSON *params, Error *err) {
        const cJSON *choices = json_get(params, "choices"), *schema = json_get(params, "schema");
        const cJSON *otherwise = json_get(params, "otherwise");
        int r = 0;

        if (question_form_is_approval(params) && (choices || schema || otherwise))
                return error_say(err, -EINVAL,
                                 "what is approved or not has no choices, no schema, and no answer "
                                 "of its own when its time is over");
        if (question_form_is_time(params) && !json_get(params, "wait_usec"))
                return error_say(err, -EINVAL, "what waits for a time needs wait_usec");
        if (choices && schema)
                return error_say(err, -EINVAL, "a question has choices or a schema");
        if (choices)
                r = check_choices(choices, err);
        if (r == 0 && schema)
                r = check_schema(schema, err);
        if (r == 0 && otherwise)
                r = question_form_fits(params, otherwise, err);
        return r;
}

int question_form_key(const cJSON *params, uint8_t *ret_key, Error *err) {
        SCOPED(json_free) cJSON *copy = cJSON_Duplicate(params, true);

        cJSON_DeleteItemFromObjectCaseSensitive(copy, "more");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "stay");
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "wait_usec");
        if (!copy || canonical_digest(copy, ret_key) < 0)
                return error_set(err, -ENOMEM, "digest a question");
        return 0;
}

int question_form_make(const Task *task, const cJSON *params, Question *ret, Error *err) {
        uint64_t wait = 0, most = question_form_is_time(params) ? ANSWER_WAIT_MOST
                                                                : answer_rules_wait(&task->people);
        Question question = QUESTION_EMPTY;
        int r;

        (void) snprintf(question.task, sizeof(question.task), "%s", task->id);
        (void) snprintf(question.path, sizeof(question.path), "%s", json_text(params, "path"));
        id_new('q', question.id);
        question.owner_uid = task->owner_uid;
        question.rules = task->people;
        if (json_number(params, "wait_usec", &wait) < 0 || wait > most)
                wait = most;
        question.asked_usec = units_now();
        question.until_usec = question.asked_usec + wait;
        r = question_form_key(params, question.key, err);
        if (r < 0)
                return r;
        question.what = cJSON_Duplicate(params, true);
        if (!question.what)
                return error_set(err, -ENOMEM, "keep a question");
        *ret = question;
        return 0;
}

/* ---- answers --------------------------------------------------------------------------------------- */

static int fits_choice(const cJSON *choices, const cJSON *answer, Error *err) {
        const cJSON *choice;

        cJSON_ArrayForEach(choice, choices) {
                if (cJSON_IsString(answer) && strcmp(choice->valuestring, answer->valuestring) == 0)
                        return 0;
        }
        return error_say(err, -EINVAL, "the answer is none of the choices");
}

int question_form_fits(const cJSON *what, const cJSON *answer, Error *err) {
        const cJSON *choices = json_get(what, "choices"), *schema = json_get(what, "schema");
        autofree char *text = json_print(answer);
        SchemaFault fault = { 0 };

        if (!text)
                return error_set(err, -ENOMEM, "look at an answer");
        if (strlen(text) > ANSWER_VALUE_MAX)
                return error_say(err, -EINVAL, "an answer has at most %u bytes", ANSWER_VALUE_MAX);
        if (choices)
                return fits_choice(choices, answer, err);
        if (schema && schema_check(schema, answer, &fault) < 0)
                return error_say(err, -EINVAL, "the answer does not fit: %s: %s",
                                 *fault.path ? fault.path : "the whole", fault.text);
        if (!schema && (!cJSON_IsString(answer) || !*answer->valuestring))
                return error_say(err, -EINVAL, "the answer is a text that is not empty");
        return 0;
}

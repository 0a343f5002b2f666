/*
 * ask-step: see ask-step.h.
 */
#include "agent/workflow/ask-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/loader.h"
#include "base/schema.h"

#define ASK_WAIT_MOST    (30ull * 86400 * 1000000)
#define ASK_WAIT_LEAST   1000000u
#define ASK_CHOICES_MAX  20
#define ASK_TEXT_BYTES   16384u /* what the supervisor takes */
#define ASK_PLAN_BYTES   65536u
#define ASK_CHOICE_BYTES 400u

typedef struct Asking {
        Template *text;      /* owned, like plan */
        Template *plan;      /* NULL: none */
        const char *about;   /* borrowed from the workflow's JSON; NULL: a question */
        uint64_t wait_usec;  /* 0: as long as the policy says */
        bool goes_on;        /* a no is an answer like any other */
        const cJSON *copied; /* borrowed: the step; choices, answer, otherwise */
} Asking;

void ask_step_unload(Step *step) {
        Asking *asking = step->own;

        if (asking) {
                template_free(asking->text);
                template_free(asking->plan);
        }
        free(asking);
        step->own = NULL;
}

/* ---- loading ---------------------------------------------------------------------------------------- */

static int load_text(Loader *loader, const cJSON *json, const char *key, const char *path,
                     Template **ret, Error *err) {
        const cJSON *item = json_get(json, key);
        char inner[WORKFLOW_PATH_MAX];

        if (!cJSON_IsString(item) || !*item->valuestring)
                return workflow_fault(err, path, key, "a text is needed, a template");
        (void) snprintf(inner, sizeof(inner), "%s/%s", path, key);
        return template_parse(item->valuestring, loader->workflow->expressions, inner, ret, err);
}

static int load_about(const cJSON *json, const char *path, Asking *asking, Error *err) {
        static const char *const words[] = {
                "question", "plan", "apply", "push", "export", "deploy"
        };
        const char *about = json_text(json, "about");

        if (!json_get(json, "about"))
                return 0;
        for (unsigned i = 0; about && i < ELEMENTS(words); i++)
                if (strcmp(about, words[i]) == 0) {
                        asking->about = i > 0 ? about : NULL;
                        return 0;
                }
        return workflow_fault(err, path, "about",
                              "it is plan, apply, push, export or deploy, which are approved or "
                              "not, or question, which has an answer");
}

static int load_choices(const cJSON *json, const char *path, Error *err) {
        const cJSON *choices = json_get(json, "choices"), *choice;
        int n = cJSON_GetArraySize(choices);

        if (!choices)
                return 0;
        if (!cJSON_IsArray(choices) || n < 2 || n > ASK_CHOICES_MAX)
                return workflow_fault(err, path, "choices", "a list of 2 to %d texts is needed",
                                      ASK_CHOICES_MAX);
        cJSON_ArrayForEach(choice, choices) {
                if (!cJSON_IsString(choice) || !*choice->valuestring ||
                    strlen(choice->valuestring) > ASK_CHOICE_BYTES)
                        return workflow_fault(err, path, "choices",
                                              "a choice is a text of at most %u bytes",
                                              ASK_CHOICE_BYTES);
        }
        return 0;
}

static int load_answer(const cJSON *json, const char *path, const Asking *asking, Error *err) {
        static const char *const keys[] = { "choices", "answer", "otherwise" };

        for (unsigned i = 0; asking->about && i < ELEMENTS(keys); i++)
                if (json_get(json, keys[i]))
                        return workflow_fault(err, path, keys[i],
                                              "\"about\": \"%s\" is approved or not: only a "
                                              "question has an answer",
                                              asking->about);
        if (json_get(json, "choices") && json_get(json, "answer"))
                return workflow_fault(err, path, "answer",
                                      "a question has choices or a schema of the answer");
        if (json_get(json, "answer") && !cJSON_IsObject(json_get(json, "answer")))
                return workflow_fault(err, path, "answer", "a JSON Schema is needed, an object");
        return load_choices(json, path, err);
}

/* What stands for nobody's answer must be one. */
static int load_otherwise(const cJSON *json, const char *path, Error *err) {
        const cJSON *otherwise = json_get(json, "otherwise"), *schema = json_get(json, "answer");
        const cJSON *choice;
        SchemaFault fault = { 0 };

        if (!otherwise)
                return 0;
        if (schema && schema_check(schema, otherwise, &fault) == -EINVAL)
                return workflow_fault(err, path, "otherwise",
                                      "it does not fit the schema of the answer: %s", fault.text);
        if (!schema && (!cJSON_IsString(otherwise) || !*otherwise->valuestring))
                return workflow_fault(err, path, "otherwise", "an answer is needed, a text");
        cJSON_ArrayForEach(choice, json_get(json, "choices")) {
                if (cJSON_Compare(choice, otherwise, true))
                        return 0;
        }
        return json_get(json, "choices")
                       ? workflow_fault(err, path, "otherwise", "\"%.64s\" is no choice",
                                        otherwise->valuestring)
                       : 0;
}

static int load_rejected(const cJSON *json, const char *path, Asking *asking, Error *err) {
        const char *word = json_text(json, "rejected");

        if (!json_get(json, "rejected"))
                return 0;
        if (!word || (strcmp(word, "end") != 0 && strcmp(word, "go_on") != 0))
                return workflow_fault(err, path, "rejected", "\"end\" or \"go_on\" is needed");
        asking->goes_on = strcmp(word, "go_on") == 0;
        return 0;
}

static int load_rest(const cJSON *json, const char *path, Asking *asking, Error *err) {
        int r = load_about(json, path, asking, err);

        if (r >= 0)
                r = load_answer(json, path, asking, err);
        if (r >= 0)
                r = load_otherwise(json, path, err);
        if (r >= 0)
                r = load_rejected(json, path, asking, err);
        if (r >= 0)
                r = loader_duration(json, "wait", path, &asking->wait_usec, err);
        if (r >= 0 && json_get(json, "wait") &&
            (asking->wait_usec < ASK_WAIT_LEAST || asking->wait_usec > ASK_WAIT_MOST))
                return workflow_fault(err, path, "wait", "a time from 1s to 30d is needed");
        return r;
}

int ask_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        Asking *asking = calloc(1, sizeof(*asking));
        int r;

        if (!asking)
                return error_set(err, -ENOMEM, "%s", path);
        step->own = asking;
        asking->copied = json;
        r = load_text(loader, json, "ask", path, &asking->text, err);
        if (r >= 0 && json_get(json, "plan"))
                r = load_text(loader, json, "plan", path, &asking->plan, err);
        return r < 0 ? r : load_rest(json, path, asking, err);
}

/* ---- running ---------------------------------------------------------------------------------------- */

/* Cut at the end of a character: what a model wrote may be longer than anybody reads */
static int add_filled(Engine *engine, cJSON *question, const char *name, const Template *template,
                      size_t most, Error *err) {
        autofree char *text = NULL;
        size_t n;
        int r = engine_fill(engine, template, &text, err);

        if (r < 0)
                return r;
        n = strlen(text);
        if (n > most)
                n = most;
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        text[n] = '\0';
        return json_add_text(question, name, n > 0 ? text : "?") ? 0
                                                                 : engine_no_memory(engine, err);
}

static int add_copied(Engine *engine, cJSON *question, const Asking *asking, Error *err) {
        static const char *const names[][2] = { { "choices", "choices" },
                                                { "answer", "schema" },
                                                { "otherwise", "otherwise" } };

        for (unsigned i = 0; i < ELEMENTS(names); i++) {
                const cJSON *member = json_get(asking->copied, names[i][0]);

                if (member &&
                    !json_add_consume(question, names[i][1], cJSON_Duplicate(member, true)))
                        return engine_no_memory(engine, err);
        }
        if (asking->about)
                (void) json_add_text(question, "about", asking->about);
        if (asking->wait_usec > 0)
                (void) json_add_number(question, "wait_usec", asking->wait_usec);
        return 0;
}

/* The word that ends the run, with what the person said */
static int rejected(Engine *engine, const cJSON *answer, Error *err) {
        const char *decision = json_text(answer, "decision");
        const char *comment = json_text(answer, "comment");

        (void) error_say(err, -ECANCELED, "step %s: %s%s%.1000s", engine->path,
                         decision && strcmp(decision, "expired") == 0
                                 ? "nobody answered in time, which is a no"
                                 : "people said no",
                         comment && *comment ? ": " : "", comment ? comment : "");
        return engine_fail(engine, CAUSE_REJECTED, -ECANCELED);
}

/* A yes, or an answer, be it the one that stands for nobody's */
static bool is_yes(const cJSON *answer) {
        const cJSON *value = json_get(answer, "answer");

        return json_true(answer, "approved") || (value && !cJSON_IsNull(value));
}

int ask_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        const Asking *asking = step->own;
        SCOPED(json_free) cJSON *question = cJSON_CreateObject();
        SCOPED(json_free) cJSON *answer = NULL;
        int r = add_filled(engine, question, "text", asking->text, ASK_TEXT_BYTES, err);

        if (r >= 0 && asking->plan)
                r = add_filled(engine, question, "plan", asking->plan, ASK_PLAN_BYTES, err);
        if (r >= 0)
                r = add_copied(engine, question, asking, err);
        if (r >= 0)
                r = engine_suspend(engine, TAKE_PTR(question), &answer, err);
        if (r < 0)
                return r;
        if (!asking->goes_on && !is_yes(answer))
                return rejected(engine, answer, err);
        *ret_output = TAKE_PTR(answer);
        return 0;
}

int ask_by_model(Engine *engine, cJSON *question_consume, unsigned n, cJSON **ret_answer,
                 Error *err) {
        SCOPED(json_free) cJSON *question = question_consume;
        char path[ENGINE_PATH_MAX + 16];

        (void) snprintf(path, sizeof(path), "%s?%u", engine->path, n);
        if (!json_add_text(question, "path", path) || !json_add_bool(question, "stay", true))
                return engine_no_memory(engine, err);
        return engine_ask(engine, TAKE_PTR(question), ret_answer, err);
}

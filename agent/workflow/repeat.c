/*
 * repeat: see repeat.h. What was asked in the same words has its answer already, so each interruption has words of its own:
 * how often the step was repeated is noted beside its instance. Below it, the next begin would take the note away.
 */
#include "agent/workflow/repeat.h"

#include <stdio.h>
#include <string.h>

static const char outside_question[] = "This step has effects outside of the jail. It had begun "
                                       "when the run was interrupted, and it is not "
                                       "known whether they took place.";

/* Where the path of what holds @step ends in that of its instance. */
static char *end_of_outer(Engine *engine, const Step *step) {
        size_t outer = strlen(engine->path) - strlen(step->id);

        return engine->path + outer - (outer > 0);
}

static cJSON *noted_repeats(Engine *engine, const Step *step, const char *name) {
        char *end = end_of_outer(engine, step), kept = *end;
        cJSON *noted;

        *end = '\0';
        noted = engine_noted(engine, name);
        *end = kept;
        return noted;
}

static int note_repeats(Engine *engine, const Step *step, const char *name, unsigned n,
                        Error *err) {
        SCOPED(json_free) cJSON *number = cJSON_CreateNumber(n);
        char *end = end_of_outer(engine, step), kept = *end;
        int r;

        *end = '\0';
        r = number ? engine_note(engine, name, number, err) : engine_no_memory(engine, err);
        *end = kept;
        return r;
}

/* @n: how often it was repeated */
static int ask_person(Engine *engine, unsigned n, cJSON **ret_answer, Error *err) {
        static const char *const choices[] = { "repeat", "skip", "give up" };
        cJSON *question = cJSON_CreateObject(), *list;
        char text[sizeof(outside_question) + 64];

        if (n > 0)
                (void) snprintf(text, sizeof(text), "%s It was repeated %u times already.",
                                outside_question, n);
        (void) json_add_text(question, "text", n > 0 ? text : outside_question);
        list = json_add_array(question, "choices");
        for (unsigned i = 0; i < ELEMENTS(choices); i++)
                (void) json_push_text(list, choices[i]);
        return engine_suspend(engine, question, ret_answer, err);
}

int repeat_ask(Engine *engine, const Step *step, bool *ret_skip, Error *err) {
        SCOPED(json_free) cJSON *answer = NULL, *noted = NULL;
        const char *choice;
        char name[96];
        unsigned n;
        int r;

        (void) snprintf(name, sizeof(name), "repeat-%s", step->id);
        noted = noted_repeats(engine, step, name);
        n = noted && cJSON_IsNumber(noted) && noted->valueint > 0 ? (unsigned) noted->valueint : 0;
        r = ask_person(engine, n, &answer, err);
        if (r < 0)
                return r;
        choice = json_text(answer, "answer");
        *ret_skip = choice && strcmp(choice, "skip") == 0;
        if (*ret_skip)
                return 0;
        if (choice && strcmp(choice, "repeat") == 0)
                return note_repeats(engine, step, name, n + 1, err);
        (void) error_say(err, -ECANCELED, "step %s was interrupted and a person gave it up",
                         engine->path);
        return engine_fail(engine, CAUSE_GIVEN_UP, -ECANCELED);
}

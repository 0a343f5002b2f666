/*
 * question: see question.h. What the task says is quoted whole, behind a mark: it can neither look like what stands
 * beside it nor hide its end.
 */
#include "cli/question.h"

#include <string.h>

#include "cli/terminal.h"

#define WHOLE         (1u << 20) /* escaped: nobody says yes to what was cut */
#define SHORT_SHOWN   70
#define COMMENT_SHOWN 1000

static bool is_open(const cJSON *question) {
        const char *decision = json_text(question, "decision");

        return decision && strcmp(decision, "open") == 0;
}

const cJSON *question_open(const cJSON *task) {
        const cJSON *question;

        cJSON_ArrayForEach(question, json_get(task, "questions")) {
                if (is_open(question) && !question_is_time(question))
                        return question;
        }
        return NULL;
}

const cJSON *question_find(const cJSON *task, const char *id) {
        const cJSON *questions = json_get(task, "questions"), *question;

        if (!id)
                return cJSON_GetArraySize(questions) == 1 ? questions->child : NULL;
        cJSON_ArrayForEach(question, questions) {
                const char *own = json_text(question, "question");

                if (own && strcmp(own, id) == 0)
                        return question;
        }
        return NULL;
}

bool question_is_time(const cJSON *question) {
        const char *about = json_text(question, "about");

        return about && strcmp(about, "time") == 0;
}

static void say(FILE *file, const char *before, const char *text, size_t max) {
        fputs(before, file);
        terminal_text(file, text ? text : "?", max);
}

static void show_head(FILE *file, const cJSON *question) {
        static const char *const sentences[][2] = {
                { "plan", "asks whether its plan is to be carried out" },
                { "apply", "asks whether its changes may be applied" },
                { "push", "asks whether it may push" },
                { "export", "asks whether something may leave its jail" },
                { "deploy", "asks whether it may deploy" },
                { "time", "sleeps" },
        };
        const char *about = json_text(question, "about"), *sentence = "asks";

        for (unsigned i = 0; about && i < ELEMENTS(sentences); i++)
                if (strcmp(about, sentences[i][0]) == 0)
                        sentence = sentences[i][1];
        say(file, terminal_tone(TONE_BOLD), json_text(question, "task"), 16);
        fprintf(file, " %s%s", sentence, terminal_tone(TONE_PLAIN));
        say(file, " (", json_text(question, "question"), 16);
        say(file, ", step ", json_text(question, "step"), 200);
        fputs(")\n", file);
}

static void show_list(FILE *file, const char *title, const cJSON *list, const char *between) {
        const cJSON *item;

        fputs(title, file);
        cJSON_ArrayForEach(item, list) {
                if (cJSON_IsString(item))
                        say(file, item == list->child ? "" : between, item->valuestring, WHOLE);
        }
        fputc('\n', file);
}

void question_show(FILE *file, const cJSON *question) {
        const char *text = json_text(question, "text"), *plan = json_text(question, "plan");
        const cJSON *choices = json_get(question, "choices"),
                    *schema = json_get(question, "schema");
        const cJSON *otherwise = json_get(question, "otherwise");
        autofree char *form = schema ? json_print(schema) : NULL;
        autofree char *value = otherwise ? json_print(otherwise) : NULL;

        show_head(file, question);
        terminal_quote(file, "  | ", text);
        if (plan && *plan) {
                fputs("  the plan:\n", file);
                terminal_quote(file, "  | ", plan);
        }
        if (choices)
                show_list(file, "  choices:\n    ", choices, "\n    ");
        if (form)
                say(file, "  the answer is JSON that fits ", form, WHOLE);
        fputs(form ? "\n" : "", file);
        say(file, "  asked ", json_text(question, "asked"), 32);
        say(file, ", waits until ", json_text(question, "until"), 32);
        if (value)
                say(file, ", then the answer is ", value, WHOLE);
        else if (!question_is_time(question))
                fputs(", then it counts as no", file);
        show_list(file, "\n  who may answer: ", json_get(question, "who"), ", ");
}

void question_show_decided(FILE *file, const cJSON *question) {
        const cJSON *answer = json_get(question, "answer");
        const char *comment = json_text(question, "comment");
        autofree char *value = answer ? json_print(answer) : NULL;
        uint64_t uid = 0;

        say(file, "question ", json_text(question, "question"), 16);
        say(file, " (", json_text(question, "about"), 16);
        say(file, "): ", json_text(question, "text"), SHORT_SHOWN);
        say(file, "\n  ", json_text(question, "decision"), 16);
        if (json_number(question, "by_uid", &uid) == 0)
                fprintf(file, " by user id %llu", (unsigned long long) uid);
        if (json_text(question, "decided"))
                say(file, " at ", json_text(question, "decided"), 32);
        if (value)
                say(file, ": ", value, WHOLE);
        fputc('\n', file);
        terminal_lines(file, "  ", comment, COMMENT_SHOWN);
}

static void show_word(FILE *file, const cJSON *question, const char *verb, const char *rest) {
        say(file, "  warder task ", verb, 16);
        say(file, " ", json_text(question, "task"), 16);
        fputs(rest, file);
        say(file, " --question ", json_text(question, "question"), 16);
        fputc('\n', file);
}

void question_show_words(FILE *file, const cJSON *question) {
        const char *about = json_text(question, "about");

        if (about && strcmp(about, "question") != 0) {
                show_word(file, question, "approve", "");
                show_word(file, question, "reject", " --comment 'WHY'");
        } else {
                show_word(file, question, "answer", " 'ANSWER'");
                show_word(file, question, "reject", "");
        }
}

/*
 * workflow-draw: one step a line; what belongs to a step hangs below it.
 */
#include "cli/workflow-draw.h"

#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"

#define INDENT_MAX 512 /* bytes: a bar takes three */
#define TEXT_MAX   200
#define ID_WIDTH   10

static void draw_steps(const cJSON *list, char *indent, bool last_list);

static void draw_head(const char *indent, bool last, const char *word) {
        fputs(indent, stdout);
        fputs(last ? "└─ " : "├─ ", stdout);
        terminal_text(stdout, word, TEXT_MAX);
}

/* Go one level in, draw with @draw, and come back. */
static void below(char *indent, bool last, void (*draw)(const cJSON *, char *), const cJSON *what) {
        size_t n = strlen(indent);

        (void) snprintf(indent + n, INDENT_MAX - n, "%s", last ? "   " : "│  ");
        draw(what, indent);
        indent[n] = '\0';
}

static void draw_list(const cJSON *list, char *indent) {
        draw_steps(list, indent, true);
}

static void draw_arm(const cJSON *step, const cJSON *arm, char *indent) {
        const char *text = json_text(arm, "text"), *name = json_text(arm, "name");
        bool beside = json_true(step, "beside");

        draw_head(indent, !arm->next, name ? name : beside ? "beside" : text ? "if " : "else");
        if (!beside && text)
                terminal_text(stdout, text, TEXT_MAX);
        putchar('\n');
        below(indent, !arm->next, draw_list, json_get(arm, "steps"));
}

static void draw_inside(const cJSON *step, char *indent) {
        const cJSON *arm, *called = json_get(step, "calls");

        cJSON_ArrayForEach(arm, json_get(step, "arms")) {
                draw_arm(step, arm, indent);
        }
        draw_steps(json_get(step, "steps"), indent, true);
        draw_steps(json_get(called, "steps"), indent, !json_get(called, "finally"));
        draw_steps(json_get(called, "finally"), indent, true);
}

/* What there is of a step's text and its notes, with commas between */
static void draw_words(const cJSON *step) {
        const char *text = json_text(step, "text"), *between = " ";
        const cJSON *note;

        if (text && *text) {
                putchar(' ');
                terminal_text(stdout, text, TEXT_MAX);
                between = ", ";
        }
        cJSON_ArrayForEach(note, json_get(step, "notes")) {
                fputs(between, stdout);
                terminal_text(stdout, cJSON_IsString(note) ? note->valuestring : "?", TEXT_MAX);
                between = ", ";
        }
}

static void draw_step(const cJSON *step, char *indent, bool last) {
        const char *id = json_text(step, "id"), *kind = json_text(step, "kind");

        draw_head(indent, last, id ? id : "?");
        printf("%*s  ", id && strlen(id) < ID_WIDTH ? (int) (ID_WIDTH - strlen(id)) : 0, "");
        terminal_text(stdout, kind ? kind : "?", TEXT_MAX);
        draw_words(step);
        putchar('\n');
        below(indent, last, draw_inside, step);
}

static void draw_steps(const cJSON *list, char *indent, bool last_list) {
        const cJSON *step;

        cJSON_ArrayForEach(step, list) {
                draw_step(step, indent, last_list && !step->next);
        }
}

void workflow_draw(const cJSON *tree) {
        const char *name = json_text(tree, "name"), *description = json_text(tree, "description");
        const cJSON *finally = json_get(tree, "finally");
        char indent[INDENT_MAX] = "";

        terminal_text(stdout, name ? name : "?", TEXT_MAX);
        if (description) {
                fputs("  ", stdout);
                terminal_text(stdout, description, TEXT_MAX);
        }
        putchar('\n');
        draw_steps(json_get(tree, "steps"), indent, !finally);
        if (finally) {
                puts("└─ finally");
                below(indent, true, draw_list, finally);
        }
}

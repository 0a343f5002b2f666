/*
 * task-foot: see task-foot.h.
 */
#include "cli/task-foot.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/budgets.h"

#define BAR_CELLS     10u
#define BUDGET_WIDTH  38u /* columns of one budget; as many stand on a line as fit */
#define TEXT_COLUMNS  400u
#define SUMMARY_LINES 6u

static bool has_room(const Pen *pen, unsigned most) {
        return most == 0 || pen->lines < most;
}

static void text_line(Pen *pen, const char *title, Tone tone, const char *text) {
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, 0);
        line_add(&line, "  ");
        pen_toned(&line, tone, title);
        line_text(&line, text, TEXT_COLUMNS);
        pen_end(pen, &line);
}

/* ---- the verdict --------------------------------------------------------------------------------- */

static void verdict_line(Pen *pen, const TreeVerdict *verdict) {
        bool passed = strcmp(verdict->verdict, "passed") == 0;
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, 0);
        pen_number(&line, "  verdict ", verdict->n, ": ");
        line_tone(&line, passed ? TONE_GOOD : TONE_BAD);
        line_text(&line, verdict->verdict, TEXT_COLUMNS);
        line_tone(&line, TONE_PLAIN);
        if (verdict->run > 0) {
                pen_number(&line, ", ", verdict->passed, "");
                pen_number(&line, " of ", verdict->run, " tests passed");
        }
        if (verdict->reason[0] && !passed) {
                line_add(&line, ": ");
                line_text(&line, verdict->reason, TEXT_COLUMNS);
        }
        pen_end(pen, &line);
}

static void failing_lines(Pen *pen, const TreeVerdict *verdict, unsigned most) {
        unsigned kept =
                verdict->n_failing < TREE_FAILING_MAX ? verdict->n_failing : TREE_FAILING_MAX;
        unsigned shown = 0;
        autoline Line line = LINE_EMPTY;

        for (; shown < kept && has_room(pen, most); shown++)
                text_line(pen, pen->size->plain_marks ? "  x " : "  ✗ ", TONE_BAD,
                          verdict->failing[shown]);
        if (verdict->n_failing == shown || !has_room(pen, most))
                return;
        pen_begin(pen, &line, 0);
        pen_number(&line, "    and ", verdict->n_failing - shown, " more");
        pen_end(pen, &line);
}

/* ---- what waits ---------------------------------------------------------------------------------- */

static void question_lines(Pen *pen, const TaskTree *tree) {
        bool is_open = strcmp(tree->about, "question") == 0;
        char text[96];

        text_line(pen, "waits for a person: ", TONE_WARN, tree->question);
        (void) snprintf(text, sizeof(text), "warder task show %.15s, then warder task %s or reject",
                        tree->task, is_open ? "answer" : "approve");
        text_line(pen, "  see ", TONE_DIM, text);
}

/* ---- budgets ------------------------------------------------------------------------------------- */

/* "9999", "12.3k", "2M" */
static const char *format_count(uint64_t value, char *text) {
        char unit = value >= 1000000 ? 'M' : 'k';
        uint64_t tenths = value / (value >= 1000000 ? 100000 : 100);

        if (value < 10000)
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu", (unsigned long long) value);
        else if (tenths % 10 == 0)
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu%c", (unsigned long long) (tenths / 10),
                                unit);
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%llu.%u%c",
                                (unsigned long long) (tenths / 10), (unsigned) (tenths % 10), unit);
        return text;
}

/* @currency: NULL: once is enough */
static const char *format(const TreeBudget *budget, uint64_t value, const char *currency,
                          char *text) {
        switch (budget_unit(budget->name)) {
        case UNIT_TIME:
                return pen_duration(value, true, text);
        case UNIT_SIZE:
                return units_format_size(value, text);
        case UNIT_MONEY:
                return money_format_short(value, currency, text);
        case UNIT_COUNT:
                break;
        }
        return format_count(value, text);
}

static void add_budget(Line *line, const TreeBudget *budget, uint64_t since_usec) {
        uint64_t spent = budget->used + (strcmp(budget->name, "wall_usec") == 0 ? since_usec : 0);
        uint64_t full = budget->most == 0       ? 0
                        : spent >= budget->most ? BAR_CELLS
                                                : spent * BAR_CELLS / budget->most;
        char text[BUDGET_TEXT_MAX], bar[BAR_CELLS + 1];

        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', (size_t) full);
        bar[BAR_CELLS] = '\0';
        line_text(line, budget_title(budget->name), 12);
        line_add(line, " [");
        line_tone(line, full * 10 >= BAR_CELLS * 9 ? TONE_WARN : TONE_PLAIN);
        line_add(line, bar);
        line_tone(line, TONE_PLAIN);
        line_add(line, "] ");
        line_add(line, format(budget, spent, NULL, text));
        line_add(line, "/");
        line_add(line, format(budget, budget->most, budget->currency, text));
}

/* Time goes on between two events */
static uint64_t since_last(const Pen *pen, const TaskTree *tree) {
        bool runs = strcmp(tree->state, "running") == 0 && pen->size->now_usec > tree->last_usec;

        return runs ? pen->size->now_usec - tree->last_usec : 0;
}

/* As many beside one another as fit, in columns */
static void budget_lines(Pen *pen, const TaskTree *tree, unsigned most) {
        unsigned across = pen->size->width / BUDGET_WIDTH;
        autoline Line line = LINE_EMPTY;
        unsigned i = 0;

        across = across > 0 ? across : 1;
        while (i < tree->n_budgets && has_room(pen, most)) {
                unsigned end = i + across < tree->n_budgets ? i + across : tree->n_budgets;

                pen_begin(pen, &line, 0);
                for (unsigned column = 0; i < end; i++, column++) {
                        unsigned at = 2 + column * BUDGET_WIDTH;

                        line_blanks(&line, at > line.cells ? at - line.cells : 2);
                        add_budget(&line, &tree->budgets[i], since_last(pen, tree));
                }
                pen_end(pen, &line);
        }
}

/* ---- all ----------------------------------------------------------------------------------------- */

static void summary_lines(Pen *pen, const char *text, unsigned most) {
        unsigned n = 0;

        while (*text && n++ < SUMMARY_LINES && has_room(pen, most)) {
                text_line(pen, "", TONE_PLAIN, text);
                text += strcspn(text, "\n");
                text += strspn(text, "\n");
        }
}

void task_foot(Pen *pen, const TaskTree *tree, unsigned most) {
        if (tree->question[0])
                question_lines(pen, tree);
        if (task_tree_has_ended(tree))
                summary_lines(pen, tree->summary, most);
        if (tree->verdict.n > 0 && has_room(pen, most))
                verdict_line(pen, &tree->verdict);
        if (strcmp(tree->verdict.verdict, "passed") != 0)
                failing_lines(pen, &tree->verdict, most);
        if (tree->note[0] && !task_tree_has_ended(tree) && has_room(pen, most))
                text_line(pen, "", TONE_DIM, tree->note);
        budget_lines(pen, tree, most);
        if (tree->forgot && has_room(pen, most))
                text_line(pen, "", TONE_DIM, "(more steps than are shown)");
}

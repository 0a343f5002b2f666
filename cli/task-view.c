/*
 * task-view: a head, the steps, then what was judged, what waits, what is used. Where the lines are more than the
 * screen has, the next coarser of three details is tried: all; without what is inside ended steps; only what runs,
 * waits or failed. What is still too much loses its upper steps, since what runs stands below.
 */
#include "cli/task-view.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/pen.h"
#include "cli/task-foot.h"

typedef enum Detail { DETAIL_ALL, DETAIL_OPEN, DETAIL_BUSY, _DETAIL_MAX } Detail;

#define NAME_COLUMNS 40u
#define DEPTH_SHOWN  12u
#define VIEW_MAX     (4u << 20)
#define CLOCK_USEC   1000u /* times of events are no finer */

static const struct {
        const char *mark, *plain;
        Tone tone;
} marks[_NODE_STATE_MAX] = {
        [NODE_RUNNING] = { "▸", ">", TONE_BOLD }, [NODE_DONE] = { "✓", "+", TONE_GOOD },
        [NODE_FAILED] = { "✗", "x", TONE_BAD },   [NODE_SKIPPED] = { "–", "-", TONE_DIM },
        [NODE_WAITING] = { "?", "?", TONE_WARN }, [NODE_STOPPED] = { "–", "-", TONE_DIM },
};

/* ---- one step ------------------------------------------------------------------------------------ */

static void add_iterations(Line *line, const Node *node) {
        if (node->state == NODE_DONE) {
                pen_number(line, "  ", node->iteration,
                           node->iteration == 1 ? " iteration" : " iterations");
                return;
        }
        pen_number(line, "  iteration ", node->iteration, "");
        if (node->of > 0)
                pen_number(line, " of ", node->of, "");
}

static void add_items(Line *line, const Node *node) {
        uint64_t running = 0, ended = node->ended, failed = node->failed;

        for (const Node *item = node->children; item; item = item->next) {
                running += node_is_busy(item);
                ended += !node_is_busy(item);
                failed += item->state == NODE_FAILED;
        }
        pen_number(line, "  ", ended, "");
        if (node->of > 0)
                pen_number(line, " of ", node->of, "");
        line_add(line, " done");
        if (running > 0)
                pen_number(line, ", ", running, " running");
        if (failed > 0)
                pen_number(line, ", ", failed, " failed");
}

static void add_verdict(Line *line, const Node *node) {
        if (!node->verdict[0])
                return;
        line_add(line, "  ");
        line_tone(line, strcmp(node->verdict, "passed") == 0 ? TONE_GOOD : TONE_BAD);
        line_text(line, node->verdict, NAME_COLUMNS);
        line_tone(line, TONE_PLAIN);
}

static void add_name(Line *line, const Node *node) {
        Tone tone = node->state == NODE_RUNNING ? TONE_BOLD : TONE_PLAIN;

        line_tone(line, tone);
        if (node->is_instance)
                pen_number(line, "[", node->item, "]");
        else
                line_text(line, node->id, NAME_COLUMNS);
        line_tone(line, TONE_PLAIN);
}

static void add_extras(Line *line, const Node *node) {
        const char *what = node->role[0] ? node->role : "";

        if (*what) {
                line_tone(line, TONE_DIM);
                line_add(line, "  ");
                line_text(line, what, NAME_COLUMNS);
                line_tone(line, TONE_PLAIN);
        }
        if (node->has_instances && node_is_loop(node))
                add_iterations(line, node);
        else if (node->has_instances)
                add_items(line, node);
        if (node->tries > 0)
                pen_number(line, "  try ", node->tries + 1, "");
        add_verdict(line, node);
}

static void add_mark(const Pen *pen, Line *line, NodeState state) {
        pen_toned(line, marks[state].tone,
                  pen->size->plain_marks ? marks[state].plain : marks[state].mark);
        line_add(line, " ");
}

/* How long it took, or has taken so far; "" where nobody said when it began */
static unsigned format_time(const Pen *pen, uint64_t from, uint64_t to, bool runs, char *text) {
        uint64_t end = runs ? pen->size->now_usec : to;

        text[0] = '\0';
        if (from > 0 && end >= from && !runs && end - from < CLOCK_USEC)
                (void) snprintf(text, UNITS_TEXT_MAX, "< 1 ms");
        else if (from > 0 && end >= from)
                (void) pen_duration(end - from, runs, text);
        return (unsigned) strlen(text) + 2;
}

static void step_line(Pen *pen, const Node *node, unsigned indent) {
        bool runs = node_is_busy(node), idle = node->is_instance && !runs;
        NodeState state = idle && node->state == NODE_RUNNING ? NODE_DONE : node->state;
        char time[UNITS_TEXT_MAX];
        unsigned margin = format_time(pen, node->started_usec, node->ended_usec, runs, time);
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, margin);
        line_blanks(&line, indent);
        add_mark(pen, &line, state);
        add_name(&line, node);
        add_extras(&line, node);
        line_right(&line, time);
        pen_end(pen, &line);
}

static void note_line(Pen *pen, const char *text, unsigned indent, Tone tone) {
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, 0);
        line_blanks(&line, indent);
        line_tone(&line, tone);
        line_text(&line, text, pen->size->width);
        line_tone(&line, TONE_PLAIN);
        pen_end(pen, &line);
}

/* ---- the steps ----------------------------------------------------------------------------------- */

static bool is_shown(const Node *node, Detail detail) {
        return detail != DETAIL_BUSY || node_is_busy(node) || node->state == NODE_FAILED;
}

static bool is_opened(const Node *node, Detail detail) {
        return node_is_busy(node) || (detail == DETAIL_ALL && !node->is_instance) ||
               (node->state == NODE_FAILED && node->children);
}

static void step_lines(Pen *pen, const Node *parent, unsigned depth, Detail detail);

static void show_step(Pen *pen, const Node *node, unsigned depth, Detail detail) {
        unsigned indent = 2 + 2 * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN);

        if (indent > pen->size->width / 3)
                indent = pen->size->width / 3;
        step_line(pen, node, indent);
        if (node->error[0])
                note_line(pen, node->error, indent + 4, TONE_BAD);
        else if (node->state == NODE_RUNNING && node->doing[0] && !node->children)
                note_line(pen, node->doing, indent + 4, TONE_DIM);
        if (is_opened(node, detail))
                step_lines(pen, node, depth + 1, detail);
}

/* The newest iteration of a loop has no line of its own: its steps stand below the loop */
static void step_lines(Pen *pen, const Node *parent, unsigned depth, Detail detail) {
        for (const Node *node = parent->children; node; node = node->next) {
                if (node->is_instance && node_is_loop(parent))
                        step_lines(pen, node, depth, detail);
                else if (is_shown(node, detail))
                        show_step(pen, node, depth, detail);
        }
}

/* ---- all ----------------------------------------------------------------------------------------- */

static Tone state_tone(const TaskTree *tree) {
        if (strcmp(tree->state, "verified") == 0)
                return TONE_GOOD;
        return strcmp(tree->state, "suspended") == 0 ? TONE_WARN
               : task_tree_has_ended(tree)           ? TONE_BAD
                                                     : TONE_BOLD;
}

static void head_line(Pen *pen, const TaskTree *tree) {
        bool runs = !task_tree_has_ended(tree);
        char time[UNITS_TEXT_MAX];
        unsigned margin = format_time(pen, tree->first_usec, tree->last_usec, runs, time);
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, margin);
        line_tone(&line, TONE_BOLD);
        line_text(&line, tree->task, NAME_COLUMNS);
        line_tone(&line, TONE_PLAIN);
        line_add(&line, "  ");
        line_tone(&line, state_tone(tree));
        line_text(&line, tree->state, NAME_COLUMNS);
        line_tone(&line, TONE_PLAIN);
        if (tree->cause[0]) {
                line_add(&line, "  ");
                line_text(&line, tree->cause, NAME_COLUMNS);
        }
        line_right(&line, time);
        pen_end(pen, &line);
}

/* The lines of @text behind the first @n */
static const char *skip_lines(const char *text, unsigned n) {
        while (n-- > 0 && strchr(text, '\n'))
                text = strchr(text, '\n') + 1;
        return text;
}

/* @steps without what does not fit into @room lines, and where there is room for it a line that says so */
static void put_steps(Pen *pen, const Buf *steps, unsigned n, unsigned room) {
        unsigned left_out = n > room ? n - room + (room > 1) : 0;
        const char *text = skip_lines(steps->data ? steps->data : "", left_out);
        autoline Line line = LINE_EMPTY;

        if (left_out > 0 && room > 1) {
                pen_begin(pen, &line, 0);
                line_tone(&line, TONE_DIM);
                pen_number(&line, "  … ", left_out, " lines above");
                line_tone(&line, TONE_PLAIN);
                pen_end(pen, &line);
        }
        if (pen->r == 0)
                pen->r = buf_append(pen->out, text, strlen(text));
        pen->lines += n - left_out;
}

int task_view_render(const TaskTree *tree, const ViewSize *size, Buf *out) {
        Buf steps = BUF_EMPTY(VIEW_MAX), foot = BUF_EMPTY(VIEW_MAX);
        Pen body = { .size = size, .out = &steps }, below = { .size = size, .out = &foot };
        Pen whole = { .size = size, .out = out };
        unsigned room;

        task_foot(&below, tree, size->height / 2);
        room = size->height > below.lines + 1 ? size->height - below.lines - 1 : 0;
        for (Detail detail = DETAIL_ALL; detail < _DETAIL_MAX; detail++) {
                buf_deinit(&steps);
                body.lines = 0;
                step_lines(&body, &tree->root, 0, detail);
                if (size->height == 0 || body.lines <= room)
                        break;
        }
        head_line(&whole, tree);
        put_steps(&whole, &steps, body.lines, size->height == 0 ? body.lines : room);
        if (whole.r == 0 && foot.data)
                whole.r = buf_append(out, foot.data, foot.len);
        buf_deinit(&steps);
        buf_deinit(&foot);
        return whole.r < 0 ? whole.r : body.r < 0 ? body.r : below.r;
}

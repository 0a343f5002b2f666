/*
 * task-live: see task-live.h.
 */
#include "cli/task-live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/line.h"
#include "cli/task-view.h"
#include "cli/terminal.h"

#define FRAME_USEC   66000u
#define SECOND_USEC  1000000u
#define VIEW_MAX     (4u << 20)
#define SCREEN_FLOOR 4u /* lines: below it there is nothing to show */

void task_live_start(TaskLive *live, int fd) {
        live->fd = fd;
        live->plain_marks = !screen_is_utf8();
        live->dirty = true;
        screen_enter(&live->screen, fd);
}

void task_live_event(TaskLive *live, const cJSON *event) {
        task_tree_fold(&live->tree, event);
        live->dirty = true;
}

void task_live_say(TaskLive *live, const char *text) {
        (void) snprintf(live->say, sizeof(live->say), "%s", text ? text : "");
        live->dirty = true;
}

static void add_say(const TaskLive *live, unsigned width, bool colour, Buf *out) {
        autoline Line line = LINE_EMPTY;

        line_init(&line, width, 0, colour);
        line_tone(&line, TONE_WARN);
        line_text(&line, live->say, width);
        line_tone(&line, TONE_PLAIN);
        (void) buf_printf(out, "%s\n", line.buf.data ? line.buf.data : "");
}

/* @whole: with all its lines, as what stays on the terminal; else as many as it has */
static void render(const TaskLive *live, bool whole, Buf *out) {
        ViewSize size = { .now_usec = units_now(),
                          .plain_marks = live->plain_marks,
                          .colour = terminal_has_colour(stderr) };
        unsigned lines;

        screen_size(live->fd, &size.width, &lines);
        size.width -= size.width > 1; /* a full line would lose its end to the erasing behind it */
        lines = lines > SCREEN_FLOOR ? lines - 1 : SCREEN_FLOOR; /* never the last one: screen.c */
        size.height = whole ? 0 : lines - (live->say[0] != '\0');
        (void) task_view_render(&live->tree, &size, out);
        if (live->say[0] && !whole)
                add_say(live, size.width, size.colour, out);
}

static void draw(TaskLive *live) {
        Buf text = BUF_EMPTY(VIEW_MAX);

        render(live, false, &text);
        screen_draw(&live->screen, text.data ? text.data : "");
        buf_deinit(&text);
        live->dirty = false;
        live->drawn_usec = units_monotonic();
}

uint64_t task_live_wake(TaskLive *live) {
        uint64_t now = units_monotonic(), due;

        if (live->screen.fd < 0 && screen_is_possible(live->fd)) /* it was in the background */
                screen_enter(&live->screen, live->fd);
        due = live->drawn_usec + (live->dirty ? FRAME_USEC : SECOND_USEC);
        if (live->drawn_usec == 0 || now >= due) {
                draw(live);
                return live->drawn_usec + SECOND_USEC;
        }
        return due;
}

void task_live_resized(TaskLive *live) {
        screen_forget(&live->screen);
        live->dirty = true;
}

void task_live_pause(TaskLive *live) {
        screen_leave(&live->screen);
        (void) raise(SIGSTOP);
        live->drawn_usec = 0;
}

void task_live_stop(TaskLive *live) {
        Buf text = BUF_EMPTY(VIEW_MAX);

        if (live->fd < 0)
                return;
        screen_leave(&live->screen);
        render(live, true, &text);
        if (text.data)
                (void) fd_write_all(live->fd, text.data, text.len);
        buf_deinit(&text);
        task_tree_deinit(&live->tree);
        *live = TASK_LIVE_EMPTY;
}

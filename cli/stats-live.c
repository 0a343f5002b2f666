/*
 * stats-live: see stats-live.h.
 */
#include "cli/stats-live.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/follow.h"
#include "cli/pen.h"

#define VIEW_MAX  (4u << 20)
#define TASKS_MAX 8u /* lines of tasks */
#define HELP      "q quit   sort: c cpu  m memory  p processes  d disk  a age"

static const struct {
        char key;
        StatsOrder order;
} keys[] = {
        { 'c', STATS_BY_CPU },  { 'm', STATS_BY_MEMORY }, { 'p', STATS_BY_PIDS },
        { 'd', STATS_BY_DISK }, { 'a', STATS_BY_AGE },
};

/* ---- tasks ---------------------------------------------------------------------------------------- */

static bool is_shown(const cJSON *task) {
        return !follow_is_final(json_text(task, "state"));
}

static unsigned count_tasks(const cJSON *tasks) {
        const cJSON *task;
        unsigned n = 0;

        cJSON_ArrayForEach(task, tasks) n += is_shown(task);
        return n;
}

static void add_budget(Line *line, const cJSON *task, const char *budget) {
        const cJSON *used = json_get(json_get(task, "used"), budget);
        const cJSON *now = cJSON_GetArrayItem(used, 0), *most = cJSON_GetArrayItem(used, 1);

        if (!cJSON_IsNumber(now) || !cJSON_IsNumber(most))
                return;
        pen_number(line, "", (uint64_t) now->valuedouble, "/");
        pen_number(line, "", (uint64_t) most->valuedouble, " ");
        line_add(line, budget);
        line_blanks(line, 2);
}

static void render_task(Pen *pen, const cJSON *task) {
        static const char *const budgets[] = { "verifies", "commands", "tokens" };
        const char *id = json_text(task, "task"), *state = json_text(task, "state"),
                   *request = json_text(task, "request");
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, 0);
        line_text(&line, id ? id : "?", 12);
        line_blanks(&line, 2);
        line_text(&line, state ? state : "?", 10);
        line_blanks(&line, 2);
        for (unsigned i = 0; i < ELEMENTS(budgets); i++)
                add_budget(&line, task, budgets[i]);
        line_text(&line, request ? request : "", pen->size->width);
        pen_end(pen, &line);
}

static int render_tasks(const StatsLive *live, const ViewSize *size, unsigned most, Buf *out) {
        Pen pen = { .size = size, .out = out };
        const cJSON *task;

        cJSON_ArrayForEach(task, live->tasks) {
                if (pen.lines < most && is_shown(task))
                        render_task(&pen, task);
        }
        return pen.r;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static void render_foot(const StatsLive *live, const ViewSize *size, const StatsTable *table,
                        Buf *out) {
        Pen pen = { .size = size, .out = out };
        autoline Line line = LINE_EMPTY;

        pen_begin(&pen, &line, 0);
        line_tone(&line, TONE_DIM);
        pen_number(&line, "", table->n, table->n == 1 ? " jail, " : " jails, ");
        pen_number(&line, "", count_tasks(live->tasks), " tasks, by ");
        line_add(&line, stats_view_order(live->view.order));
        line_blanks(&line, 3);
        line_add(&line, HELP);
        line_tone(&line, TONE_PLAIN);
        pen_end(&pen, &line);
}

/* Jails have half of the lines at least, keys one if there are any to spare, and the screen's last line is nobody's */
static void render(StatsLive *live, const StatsTable *table, bool whole, Buf *out) {
        unsigned n_tasks = count_tasks(live->tasks), lines, n_keys;
        ViewSize *size = &live->view.size;

        screen_size(live->fd, &size->width, &lines);
        size->width -=
                size->width > 1; /* a full line would lose its end to the erasing behind it */
        size->now_usec = units_now();
        lines -= lines > 1;
        n_keys = live->keys && !whole && lines > 2;
        n_tasks = n_tasks > TASKS_MAX ? TASKS_MAX : n_tasks;
        if (!whole && n_tasks > lines / 2)
                n_tasks = lines / 2;
        size->height = whole ? 0 : lines - n_keys - n_tasks;
        (void) stats_view_render(table, &live->view, out);
        (void) render_tasks(live, size, n_tasks, out);
        if (n_keys)
                render_foot(live, size, table, out);
}

void stats_live_start(StatsLive *live, int fd) {
        live->fd = fd;
        live->view.size.plain_marks = !screen_is_utf8();
        live->view.size.colour = terminal_has_colour(stdout);
        live->view.plots = true;
        screen_enter(&live->screen, fd);
}

void stats_live_draw(StatsLive *live, const StatsTable *table) {
        Buf text = BUF_EMPTY(VIEW_MAX);

        if (live->fd < 0)
                return;
        if (live->screen.fd < 0) { /* it was stopped, and may be in the background */
                if (!screen_is_possible(live->fd))
                        return;
                screen_enter(&live->screen, live->fd);
                live->is_dirty = true;
        }
        if (live->is_dirty) {
                render(live, table, false, &text);
                screen_draw(&live->screen, text.data ? text.data : "");
        }
        buf_deinit(&text);
        live->is_dirty = false;
}

bool stats_live_key(StatsLive *live, char key) {
        for (unsigned i = 0; i < ELEMENTS(keys); i++)
                if (keys[i].key == key) {
                        live->view.order = keys[i].order;
                        live->is_dirty = true;
                }
        return key == 'q' || key == 'Q';
}

void stats_live_resized(StatsLive *live) {
        screen_forget(&live->screen);
        live->is_dirty = true;
}

void stats_live_pause(StatsLive *live) {
        screen_leave(&live->screen);
        (void) raise(SIGSTOP);
        live->is_dirty = true;
}

void stats_live_stop(StatsLive *live, const StatsTable *table) {
        Buf text = BUF_EMPTY(VIEW_MAX);

        if (live->fd >= 0) {
                screen_leave(&live->screen);
                render(live, table, true, &text);
                if (text.data)
                        (void) fd_write_all(live->fd, text.data, text.len);
        }
        buf_deinit(&text);
        json_free(live->tasks);
        *live = STATS_LIVE_EMPTY;
}

/*
 * stats-view: see stats-view.h.
 */
#include "cli/stats-view.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/cells.h"
#include "cli/pen.h"
#include "cli/plot.h"

#define PLOT_MIN   10u /* columns of a plot in a line */
#define PLOT_MAX   40u
#define WIDE       110u /* columns: from here on memory has a plot too */
#define FIXED      70u  /* columns of the line that are no plots */
#define PLOT_LINES 4u   /* of a single jail's plots */
#define FACTS      9u   /* lines of words on it */
#define PLOT_BYTES 1024u
#define LABEL      12u

static const char *const order_names[] = { "cpu", "memory", "processes", "disk", "age" };
_Static_assert(ELEMENTS(order_names) == _STATS_ORDER_MAX, "a name for each order");

const char *stats_view_order(StatsOrder order) {
        return (unsigned) order < _STATS_ORDER_MAX ? order_names[order] : "?";
}

/* ---- parts of a line ------------------------------------------------------------------------------ */

/* @text in @width columns and two blanks behind it */
static void column(Line *line, const char *text, unsigned width) {
        unsigned cells = cells_of(text, strlen(text));

        line_text(line, text, width);
        line_blanks(line, (cells < width ? width - cells : 0) + 2);
}

static void add_plot(const StatsView *view, Line *line, const StatsRow *row, unsigned width,
                     bool memory) {
        autobuf Buf text = BUF_EMPTY(PLOT_BYTES);
        const Plot plot = { .values = memory ? row->memory : row->cpu,
                            .n = row->n,
                            .max = stats_number(row, memory ? "/memory/limit" : "/cpu/limit"),
                            .width = width,
                            .rows = 1,
                            .plain = view->size.plain_marks };

        if (plot_row(&plot, 0, &text) >= 0 && text.data) {
                line_tone(line, TONE_GOOD);
                line_add(line, text.data);
                line_tone(line, TONE_PLAIN);
        }
        line_blanks(line, 2);
}

static unsigned plot_width(const StatsView *view) {
        unsigned n = view->size.width >= WIDE ? 2 : 1, room = view->size.width;

        if (!view->plots)
                return 0;
        room = room > FIXED ? (room - FIXED) / n : 0;
        room = room > 2 ? room - 2 : 0;
        return room < PLOT_MIN ? PLOT_MIN : room > PLOT_MAX ? PLOT_MAX : room;
}

static bool plots_memory(const StatsView *view) {
        return view->plots && view->size.width >= WIDE;
}

static const char *state_of(const StatsRow *row) {
        const char *state = json_text(row->last, "state");

        return json_true(row->last, "frozen") ? "frozen" : state ? state : "?";
}

/* "12.5%": of one processor, as limits are written */
static const char *percent(uint64_t permille, char *text) {
        (void) snprintf(text, UNITS_TEXT_MAX, "%llu.%llu%%", (unsigned long long) permille / 10,
                        (unsigned long long) permille % 10);
        return text;
}

/* "1.5 MiB/64 MiB" */
static const char *of_limit(const StatsRow *row, const char *now, const char *limit, char *text) {
        char used[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];

        (void) snprintf(text, 2 * UNITS_TEXT_MAX, "%s/%s",
                        units_format_size(stats_number(row, now), used),
                        units_format_size(stats_number(row, limit), most));
        return text;
}

/* ---- the table ------------------------------------------------------------------------------------ */

static void render_head(Pen *pen, const StatsView *view) {
        autoline Line line = LINE_EMPTY;
        unsigned width = plot_width(view);

        pen_begin(pen, &line, 0);
        line_tone(&line, TONE_BOLD);
        column(&line, "JAIL", 12);
        column(&line, "STATE", 6);
        column(&line, "CPU", 7);
        if (width)
                column(&line, "", width);
        column(&line, "MEMORY", 19);
        if (plots_memory(view))
                column(&line, "", width);
        column(&line, "PIDS", 8);
        column(&line, "DISK", 8);
        line_add(&line, "RUNS");
        line_tone(&line, TONE_PLAIN);
        pen_end(pen, &line);
}

static void render_row(Pen *pen, const StatsView *view, const StatsRow *row) {
        char text[2 * UNITS_TEXT_MAX];
        autoline Line line = LINE_EMPTY;
        unsigned width = plot_width(view);

        pen_begin(pen, &line, 0);
        column(&line, row->jail, 12);
        column(&line, state_of(row), 6);
        column(&line, row->n > 1 ? percent(stats_cpu(row), text) : "-", 7);
        if (width)
                add_plot(view, &line, row, width, false);
        column(&line, of_limit(row, "/memory/now", "/memory/limit", text), 19);
        if (plots_memory(view))
                add_plot(view, &line, row, width, true);
        (void) snprintf(text, sizeof text, "%llu/%llu",
                        (unsigned long long) stats_number(row, "/pids/now"),
                        (unsigned long long) stats_number(row, "/pids/limit"));
        column(&line, text, 8);
        column(&line, units_format_size(stats_number(row, "/disk/used"), text), 8);
        pen_number(&line, "", stats_number(row, "/commands/running"), "");
        pen_end(pen, &line);
}

static void render_left_out(Pen *pen, size_t n) {
        autoline Line line = LINE_EMPTY;

        pen_begin(pen, &line, 0);
        line_tone(&line, TONE_DIM);
        pen_number(&line, "and ", n, " more");
        line_tone(&line, TONE_PLAIN);
        pen_end(pen, &line);
}

static int render_table(const StatsTable *table, const StatsView *view, Buf *out) {
        Pen pen = { .size = &view->size, .out = out };
        autofree StatsRow **rows = stats_table_order(table, view->order);
        size_t room = view->size.height ? view->size.height - 1 : table->n, shown = table->n;

        if (!rows)
                return -ENOMEM;
        if (shown > room) /* the last line says how many are not shown */
                shown = room > 0 ? room - 1 : 0;
        render_head(&pen, view);
        for (size_t i = 0; i < shown; i++)
                render_row(&pen, view, rows[i]);
        if (shown < table->n && room > 0)
                render_left_out(&pen, table->n - shown);
        return pen.r;
}

/* ---- one jail ------------------------------------------------------------------------------------- */

static bool is_full(const Pen *pen) {
        return pen->size->height && pen->lines >= pen->size->height;
}

static void fact(Pen *pen, const char *label, const char *text) {
        autoline Line line = LINE_EMPTY;

        if (is_full(pen))
                return;
        pen_begin(pen, &line, 0);
        line_tone(&line, TONE_BOLD);
        column(&line, label, LABEL);
        line_tone(&line, TONE_PLAIN);
        line_text(&line, text, pen->size->width);
        pen_end(pen, &line);
}

static bool has_room_for_plots(const Pen *pen) {
        return !pen->size->height || pen->size->height >= FACTS + 2 * PLOT_LINES;
}

static void render_plot(Pen *pen, const StatsView *view, const StatsRow *row, bool memory) {
        unsigned width = view->size.width > 4 ? view->size.width - 2 : 1;
        const Plot plot = { .values = memory ? row->memory : row->cpu,
                            .n = row->n,
                            .max = stats_number(row, memory ? "/memory/limit" : "/cpu/limit"),
                            .width = width < STATS_HISTORY ? width : STATS_HISTORY,
                            .rows = PLOT_LINES,
                            .plain = view->size.plain_marks };

        /* plots go first where not all has room */
        for (unsigned i = 0; view->plots && has_room_for_plots(pen) && i < plot.rows; i++) {
                autoline Line line = LINE_EMPTY;
                autobuf Buf text = BUF_EMPTY(PLOT_BYTES);

                pen_begin(pen, &line, 0);
                if (plot_row(&plot, i, &text) >= 0 && text.data)
                        pen_toned(&line, TONE_GOOD, text.data);
                pen_end(pen, &line);
        }
}

static void render_cpu(Pen *pen, const StatsRow *row) {
        char now[UNITS_TEXT_MAX], used[UNITS_TEXT_MAX], held[UNITS_TEXT_MAX], text[256];

        (void) snprintf(text, sizeof text,
                        "%s of a processor, %g at most; %s used; held back in %llu of %llu "
                        "periods, %s",
                        row->n > 1 ? percent(stats_cpu(row), now) : "-",
                        (double) stats_number(row, "/cpu/limit") / 1000,
                        units_format_duration(stats_number(row, "/cpu/usage_usec"), used),
                        (unsigned long long) stats_number(row, "/cpu/throttled"),
                        (unsigned long long) stats_number(row, "/cpu/periods"),
                        units_format_duration(stats_number(row, "/cpu/throttled_usec"), held));
        fact(pen, "CPU", text);
}

static void render_memory(Pen *pen, const StatsRow *row) {
        char now[2 * UNITS_TEXT_MAX], peak[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX], text[256];

        (void) snprintf(text, sizeof text, "%s; %s at most, %s of it files; %llu killed for it",
                        of_limit(row, "/memory/now", "/memory/limit", now),
                        units_format_size(stats_number(row, "/memory/peak"), peak),
                        units_format_size(stats_number(row, "/memory/files"), files),
                        (unsigned long long) stats_number(row, "/memory/oom_kills"));
        fact(pen, "MEMORY", text);
}

static void render_counts(Pen *pen, const StatsRow *row) {
        char disk[2 * UNITS_TEXT_MAX], seen[UNITS_TEXT_MAX], kept[UNITS_TEXT_MAX], text[256];

        (void) snprintf(text, sizeof text, "%llu/%llu; %llu at most; %llu refused",
                        (unsigned long long) stats_number(row, "/pids/now"),
                        (unsigned long long) stats_number(row, "/pids/limit"),
                        (unsigned long long) stats_number(row, "/pids/peak"),
                        (unsigned long long) stats_number(row, "/pids/refused"));
        fact(pen, "PROCESSES", text);
        (void) snprintf(text, sizeof text, "%s; %llu of %llu inodes",
                        of_limit(row, "/disk/used", "/disk/limit", disk),
                        (unsigned long long) stats_number(row, "/disk/inodes"),
                        (unsigned long long) stats_number(row, "/disk/inodes_limit"));
        fact(pen, "DISK", text);
        (void) snprintf(text, sizeof text, "%s captured, %s kept",
                        units_format_size(stats_number(row, "/output/seen"), seen),
                        units_format_size(stats_number(row, "/output/kept"), kept));
        fact(pen, "OUTPUT", text);
        (void) snprintf(text, sizeof text, "%llu run, %llu were started",
                        (unsigned long long) stats_number(row, "/commands/running"),
                        (unsigned long long) stats_number(row, "/commands/started"));
        fact(pen, "COMMANDS", text);
}

static void render_hits(Pen *pen, const StatsRow *row) {
        autobuf Buf text = BUF_EMPTY(512);
        const cJSON *hit;

        cJSON_ArrayForEach(hit, json_get(row->last, "hits")) {
                if (cJSON_IsNumber(hit) && hit->valuedouble > 0)
                        (void) buf_printf(&text, "%s%s %.0f", text.len ? ", " : "", hit->string,
                                          hit->valuedouble);
        }
        fact(pen, "LIMITS HIT", text.data ? text.data : "none");
}

static void render_pressure(Pen *pen, const StatsRow *row) {
        char text[128];

        if (!cJSON_IsObject(json_at(row->last, "/pressure/cpu")))
                return;
        (void) snprintf(text, sizeof text, "cpu %llu%%, memory %llu%%, disk %llu%% of the time",
                        (unsigned long long) stats_number(row, "/pressure/cpu/some/percent"),
                        (unsigned long long) stats_number(row, "/pressure/memory/some/percent"),
                        (unsigned long long) stats_number(row, "/pressure/io/some/percent"));
        fact(pen, "WAITED FOR", text);
}

static int render_whole(const StatsRow *row, const StatsView *view, Buf *out) {
        Pen pen = { .size = &view->size, .out = out };
        const char *snapshot = json_text(row->last, "snapshot"),
                   *policy = json_text(row->last, "policy");
        char age[UNITS_TEXT_MAX], text[256];

        (void) snprintf(text, sizeof text, "%s; snapshot %.64s, policy %.64s; %s old",
                        state_of(row), snapshot ? snapshot : "?", policy ? policy : "?",
                        pen_duration(stats_number(row, "/age_usec"), true, age));
        fact(&pen, row->jail, text);
        render_cpu(&pen, row);
        render_plot(&pen, view, row, false);
        render_memory(&pen, row);
        render_plot(&pen, view, row, true);
        render_counts(&pen, row);
        render_hits(&pen, row);
        render_pressure(&pen, row);
        return pen.r;
}

int stats_view_render(const StatsTable *table, const StatsView *view, Buf *out) {
        if (view->whole && table->n == 1)
                return render_whole(table->rows[0], view, out);
        return render_table(table, view, out);
}

/* plot, stats-table, stats-view: numbers as blocks, looks folded into rows, rows as lines of a given width */
#include "cli/stats-view.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cells.h"
#include "cli/plot.h"
#include "tests/tap.h"

static StatsTable table;

static bool plots(const Plot *plot, unsigned row, const char *want) {
        Buf out = BUF_EMPTY(4096);
        bool good = plot_row(plot, row, &out) == 0 && strcmp(out.data ? out.data : "", want) == 0;

        if (!good)
                tap_show("got", out.data ? out.data : "");
        buf_deinit(&out);
        return good;
}

static void test_plot(void) {
        const uint64_t values[] = { 0, 1, 50, 100, 900 };
        Plot plot = { .values = values, .n = 5, .max = 100, .width = 5, .rows = 1 };

        ok(plots(&plot, 0, " ▁▄██"), "nothing is blank, little is seen, too much fills");
        plot.plain = true;
        ok(plots(&plot, 0, " .=@@"), "and in ASCII");
        plot.width = 3;
        ok(plots(&plot, 0, "=@@"), "the newest are at the right");
        plot.width = 7;
        ok(plots(&plot, 0, "   .=@@"), "blanks where there are none");
        plot.rows = 2;
        plot.width = 5;
        plot.plain = false;
        ok(plots(&plot, 0, "   ██") && plots(&plot, 1, " ▁███"), "two lines of it");
        plot.max = 0;
        plot.rows = 1;
        ok(plots(&plot, 0, " ████"), "no maximum is no division by it");
        plot.n = 0;
        ok(plots(&plot, 0, "     "), "no value at all");
        plot.width = 0;
        ok(plots(&plot, 0, ""), "no room at all");
}

/* One record: @usage_usec of processor time after @age_usec */
static int fold(const char *jail, unsigned usage_usec, unsigned age_usec, unsigned memory,
                unsigned pids) {
        SCOPED(json_free) cJSON *json = NULL;
        char text[1024];

        snprintf(text, sizeof(text),
                 "{\"jail\":\"%s\",\"state\":\"ready\",\"frozen\":%s,\"age_usec\":%u,"
                 "\"cpu\":{\"usage_usec\":%u,\"limit\":1000},\"memory\":{\"now\":%u,\"limit\":"
                 "1048576},\"pids\":{\"now\":%u,\"limit\":64},\"disk\":null,"
                 "\"commands\":{\"running\":2},\"hits\":{\"memory\":3,\"pids\":0}}",
                 jail, pids == 9 ? "true" : "false", age_usec, usage_usec, memory, pids);
        if (json_parse(text, strlen(text), 0, &json, NULL) < 0)
                return -EINVAL;
        return stats_table_fold(&table, json);
}

static bool order_is(StatsOrder order, const char *first, const char *second) {
        StatsRow **rows = stats_table_order(&table, order);
        bool good = rows && strcmp(rows[0]->jail, first) == 0 && strcmp(rows[1]->jail, second) == 0;

        free(rows);
        return good;
}

static void test_table(void) {
        stats_table_begin(&table);
        ok(fold("j-bbbbbbbbbb", 0, 1000000, 500, 3) == 0 &&
                   fold("j-aaaaaaaaaa", 100, 9000000, 900, 2) == 0,
           "a look");
        stats_table_end(&table);
        ok(table.n == 2 && stats_cpu(table.rows[0]) == 0, "of the first nothing is known");
        stats_table_begin(&table);
        (void) fold("j-bbbbbbbbbb", 500000, 2000000, 500, 3);
        (void) fold("j-aaaaaaaaaa", 250100, 10000000, 900, 2);
        stats_table_end(&table);
        ok(strcmp(table.rows[0]->jail, "j-aaaaaaaaaa") == 0 && stats_cpu(table.rows[0]) == 250 &&
                   stats_cpu(table.rows[1]) == 500,
           "of the second how busy a processor was");
        ok(order_is(STATS_BY_CPU, "j-bbbbbbbbbb", "j-aaaaaaaaaa") &&
                   order_is(STATS_BY_MEMORY, "j-aaaaaaaaaa", "j-bbbbbbbbbb") &&
                   order_is(STATS_BY_PIDS, "j-bbbbbbbbbb", "j-aaaaaaaaaa") &&
                   order_is(STATS_BY_DISK, "j-aaaaaaaaaa", "j-bbbbbbbbbb") &&
                   order_is(STATS_BY_AGE, "j-bbbbbbbbbb", "j-aaaaaaaaaa"),
           "what is most comes first; what is alike by its id");
}

static char *render(const StatsView *view) {
        Buf out = BUF_EMPTY(1 << 20);

        if (stats_view_render(&table, view, &out) < 0)
                buf_deinit(&out);
        return buf_take(&out);
}

static unsigned widest(const char *text) {
        unsigned most = 0;

        while (*text) {
                size_t n = strcspn(text, "\n");
                unsigned cells = cells_of(text, n);

                most = cells > most ? cells : most;
                text += n + (text[n] != 0);
        }
        return most;
}

static unsigned lines_of(const char *text) {
        unsigned n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

static void test_view(void) {
        StatsView view = { .size = { .width = 100, .plain_marks = true }, .plots = true };
        char *text = render(&view);

        ok(strstr(text, "j-bbbbbbbbbb  ready   50.0%") &&
                   strstr(text, "j-aaaaaaaaaa  ready   25.0%"),
           "rows");
        has_text(text, "500 B/1 MiB", "sizes");
        free(text);
        for (view.size.width = 1; view.size.width < 200; view.size.width += 7) {
                text = render(&view);
                if (widest(text) > view.size.width)
                        break;
                free(text);
                text = NULL;
        }
        ok(!text, "no line is wider than the terminal");
        free(text);
        view.size.width = 100;
        view.size.height = 2;
        text = render(&view);
        ok(strstr(text, "and 2 more"), "what has no place is counted");
        free(text);
        for (view.size.height = 1; view.size.height < 5; view.size.height++) {
                text = render(&view);
                if (lines_of(text) > view.size.height)
                        break;
                free(text);
                text = NULL;
        }
        ok(!text, "nor are there more lines than it has");
        free(text);
}

static void test_end(void) {
        StatsView view = { .size = { .width = 100, .plain_marks = true },
                           .plots = true,
                           .whole = true };
        char *text;

        stats_table_begin(&table);
        (void) fold("j-bbbbbbbbbb", 500000, 3000000, 500, 9);
        stats_table_end(&table);
        ok(table.n == 1, "what a look does not tell of is gone");
        text = render(&view);
        ok(strstr(text, "frozen") && strstr(text, "memory 3") && strstr(text, "LIMITS HIT"),
           "all of one jail");
        free(text);
        text = render(&view);
        has_text(text, "of a processor, 1 at most", "with processors as they are counted");
        free(text);
        for (view.size.height = 1; view.size.height < 40; view.size.height++) {
                text = render(&view);
                if (lines_of(text) > view.size.height)
                        break;
                free(text);
                text = NULL;
        }
        ok(!text, "on a low terminal no more than it has lines for");
        free(text);
        view.size.height = 10;
        text = render(&view);
        ok(strstr(text, "LIMITS HIT"), "where plots go first");
        free(text);
        view.size.height = 0;
        for (unsigned i = 0; i < 2 * STATS_HISTORY; i++) {
                stats_table_begin(&table);
                (void) fold("j-bbbbbbbbbb", 500000 + i, 3000000 + 1000 * i, i, 3);
                stats_table_end(&table);
        }
        ok(table.rows[0]->n == STATS_HISTORY &&
                   table.rows[0]->memory[STATS_HISTORY - 1] == 2 * STATS_HISTORY - 1,
           "so many looks are kept, the newest");
        stats_table_begin(&table);
        stats_table_end(&table);
        ok(table.n == 0, "no jail at all");
        text = render(&view);
        ok(strncmp(text, "JAIL", 4) == 0, "is a table without rows");
        free(text);
        stats_table_deinit(&table);
}

static void test_wanted(void) {
        char words[][ID_MAX] = { "j-cccccccccc" };

        table = (StatsTable){ .wanted = words, .n_wanted = 1 };
        stats_table_begin(&table);
        (void) fold("j-bbbbbbbbbb", 0, 1, 1, 1);
        (void) fold("j-cccccccccc", 0, 1, 1, 1);
        stats_table_end(&table);
        ok(table.n == 1 && strcmp(table.rows[0]->jail, words[0]) == 0, "only what was asked for");
        stats_table_deinit(&table);
}

int main(void) {
        test_plot();
        test_table();
        test_view();
        test_end();
        test_wanted();
        return tap_end();
}

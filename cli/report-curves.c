/*
 * report-curves: see report-curves.h. SVG in the page, with numbers of ours in it alone.
 */
#include "cli/report-curves.h"

#include <stdio.h>

#include "base/owned.h"
#include "base/units.h"

#define CHART_W     560.0
#define CHART_H     150.0
#define CHART_LEFT  4.0
#define CHART_TOP   18.0
#define CHART_FLOOR 132.0

typedef struct Curve {
        double x[256], y[256]; /* seconds, and percent or bytes */
        unsigned n;
        double max_x, max_y;
} Curve;

static double number_at(const cJSON *row, int i) {
        const cJSON *item = cJSON_GetArrayItem(row, i);

        return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e18
                       ? item->valuedouble
                       : 0;
}

static void add_point(Curve *curve, double x, double y) {
        if (curve->n == ELEMENTS(curve->x))
                return;
        curve->x[curve->n] = x;
        curve->y[curve->n++] = y;
        curve->max_x = x > curve->max_x ? x : curve->max_x;
        curve->max_y = y > curve->max_y ? y : curve->max_y;
}

/* Rows are [microseconds, processor microseconds, bytes, processes]. */
static void read_samples(const cJSON *samples, Curve *cpu, Curve *memory) {
        double last_at = 0, last_cpu = 0;
        const cJSON *row;

        cJSON_ArrayForEach(row, samples) {
                double at = number_at(row, 0), used = number_at(row, 1);

                if (at - last_at > 1000 && used >= last_cpu)
                        add_point(cpu, at / 1e6, (used - last_cpu) / (at - last_at) * 100);
                add_point(memory, at / 1e6, number_at(row, 2));
                last_at = at;
                last_cpu = used;
        }
}

static void add_path(Page *page, const Curve *curve, bool area) {
        double w = CHART_W - 2 * CHART_LEFT, h = CHART_FLOOR - CHART_TOP;

        for (unsigned i = 0; i < curve->n; i++) {
                double x = CHART_LEFT + (curve->max_x > 0 ? curve->x[i] / curve->max_x * w : 0);
                double y = CHART_FLOOR - (curve->max_y > 0 ? curve->y[i] / curve->max_y * h : 0);

                if (i == 0 && area)
                        page_printf(page, "M%.1f %.1fL%.1f %.1f", x, CHART_FLOOR, x, y);
                else
                        page_printf(page, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x, y);
                if (area && i + 1 == curve->n)
                        page_printf(page, "L%.1f %.1fZ", x, CHART_FLOOR);
        }
}

static void add_curve(Page *page, const Curve *curve, const char *class, const char *title,
                      const char *most) {
        char time[UNITS_TEXT_MAX];

        page_printf(page,
                    "<figure><figcaption>%s, at most %s</figcaption>"
                    "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s over time\">"
                    "<path class=\"grid\" d=\"M0 %.0fH%.0fM0 %.0fH%.0fM0 %.0fH%.0f\"/>"
                    "<path class=\"%s-area\" d=\"",
                    title, most, CHART_W, CHART_H, title, CHART_TOP, CHART_W,
                    (CHART_TOP + CHART_FLOOR) / 2, CHART_W, CHART_FLOOR, CHART_W, class);
        add_path(page, curve, true);
        page_printf(page, "\"/><path class=\"%s\" d=\"", class);
        add_path(page, curve, false);
        page_printf(
                page,
                "\"/><text class=\"axis\" x=\"2\" y=\"13\">%s</text><text class=\"axis\" x=\"2\" "
                "y=\"147\">0 s</text><text class=\"axis\" x=\"%.0f\" y=\"147\" "
                "text-anchor=\"end\">%s</text></svg></figure>\n",
                most, CHART_W - 2, units_format_duration((uint64_t) (curve->max_x * 1e6), time));
}

void report_chart(Page *page, const cJSON *command) {
        Curve cpu = { .n = 0 }, memory = { .n = 0 };
        char percent[32], bytes[UNITS_TEXT_MAX];

        read_samples(json_get(command, "samples"), &cpu, &memory);
        if (cpu.n < 2 || memory.n < 2 || memory.max_x <= 0)
                return;
        (void) snprintf(percent, sizeof(percent), "%.0f%%", cpu.max_y);
        page_raw(page, "<div class=\"charts\">\n");
        add_curve(page, &cpu, "cpu", "Processor", percent);
        add_curve(page, &memory, "memory", "Memory of the jail",
                  units_format_size((uint64_t) memory.max_y, bytes));
        page_raw(page, "</div>\n");
}

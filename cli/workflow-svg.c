/*
 * workflow-svg: two passes over the tree: how large each part is, then where it lies. A size is worked out
 * again where it is needed; trees have at most a few hundred steps and eight levels.
 */
#include "cli/workflow-svg.h"

#include <string.h>

#define GAP         16
#define LINE        18
#define LETTER      8 /* pixels of a letter of the font, on the wide side: most fonts have 7.2 */
#define TEXT_MAX    60
#define WIDTH_LEAST 120

typedef struct Size {
        int width, height;
} Size;

typedef struct Canvas {
        Buf *buf; /* borrowed */
        int r;
} Canvas;

static Size size_list(const cJSON *list);

/* ---- sizes --------------------------------------------------------------------------------------- */

static int text_width(const char *text) {
        size_t n = text ? strlen(text) : 0;

        return (int) (n < TEXT_MAX ? n : TEXT_MAX) * LETTER;
}

static int wider(int a, int b) {
        return a > b ? a : b;
}

static bool has_text(const cJSON *step) {
        const char *text = json_text(step, "text");

        return text && *text;
}

static const char *arm_text(const cJSON *step, const cJSON *arm) {
        const char *text = json_text(arm, "text");

        if (!text)
                text = json_text(arm, "name");
        return text ? text : json_true(step, "beside") ? "beside" : "else";
}

/* What a list of parts takes when they lie beside each other. */
static Size size_arms(const cJSON *step) {
        Size all = { 0 };
        const cJSON *arm;

        cJSON_ArrayForEach(arm, json_get(step, "arms")) {
                Size one = size_list(json_get(arm, "steps"));

                one.width = wider(one.width, text_width(arm_text(step, arm)));
                all.width += one.width + (all.width ? GAP : 0);
                all.height = wider(all.height, one.height + LINE);
        }
        return all;
}

static Size size_inside(const cJSON *step) {
        if (json_get(step, "arms"))
                return size_arms(step);
        if (json_get(step, "calls"))
                return size_list(json_get(json_get(step, "calls"), "steps"));
        return size_list(json_get(step, "steps"));
}

static Size size_step(const cJSON *step) {
        Size inside = size_inside(step), all;
        const cJSON *note;

        all.width = wider(WIDTH_LEAST, inside.width);
        all.width = wider(all.width, text_width(json_text(step, "text")));
        all.width = wider(all.width, text_width(json_text(step, "id")) +
                                             text_width(json_text(step, "kind")) + 2 * LETTER);
        all.height = LINE + (has_text(step) ? LINE : 0) + (inside.height ? inside.height + GAP : 0);
        cJSON_ArrayForEach(note, json_get(step, "notes")) {
                all.width = wider(all.width, text_width(note->valuestring));
                all.height += LINE;
        }
        all.width += 2 * GAP;
        all.height += GAP;
        return all;
}

static Size size_list(const cJSON *list) {
        Size all = { 0 };
        const cJSON *step;

        cJSON_ArrayForEach(step, list) {
                Size one = size_step(step);

                all.width = wider(all.width, one.width);
                all.height += one.height + (all.height ? GAP : 0);
        }
        return all;
}

/* ---- drawing ------------------------------------------------------------------------------------- */

/* Letters of other scripts stay; what means something to a reader of XML, or is invisible, does not. */
static void put_escaped(Canvas *canvas, const char *text, size_t most) {
        size_t n = 0;

        for (; *text && canvas->r >= 0; text++) {
                unsigned char c = (unsigned char) *text;

                if ((c & 0xc0) != 0x80 && n++ == most) {
                        canvas->r = buf_printf(canvas->buf, "…");
                        return;
                }
                if (c < 0x20 || c == 0x7f || strchr("<>&\"'", c))
                        canvas->r =
                                buf_printf(canvas->buf, c < 0x20 || c == 0x7f ? " " : "&#%u;", c);
                else
                        canvas->r = buf_append(canvas->buf, text, 1);
        }
}

static void put_text(Canvas *canvas, int x, int y, const char *class, const char *text) {
        if (canvas->r >= 0)
                canvas->r = buf_printf(canvas->buf, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y,
                                       class);
        if (text && strlen(text) > TEXT_MAX && canvas->r >= 0) { /* shown where one points at it */
                canvas->r = buf_printf(canvas->buf, "<title>");
                put_escaped(canvas, text, SIZE_MAX);
                if (canvas->r >= 0)
                        canvas->r = buf_printf(canvas->buf, "</title>");
        }
        put_escaped(canvas, text ? text : "", TEXT_MAX);
        if (canvas->r >= 0)
                canvas->r = buf_printf(canvas->buf, "</text>\n");
}

static void draw_list(Canvas *canvas, const cJSON *list, int x, int y, int width);

static void draw_arms(Canvas *canvas, const cJSON *step, int x, int y) {
        const cJSON *arm;

        cJSON_ArrayForEach(arm, json_get(step, "arms")) {
                const char *text = arm_text(step, arm);
                int width = wider(size_list(json_get(arm, "steps")).width, text_width(text));

                put_text(canvas, x, y + LINE - 6, "arm", text);
                draw_list(canvas, json_get(arm, "steps"), x, y + LINE, width);
                x += width + GAP;
        }
}

static void draw_step(Canvas *canvas, const cJSON *step, int x, int y, Size size) {
        const cJSON *note, *called = json_get(step, "calls");
        int at = y + LINE;

        if (canvas->r >= 0)
                canvas->r = buf_printf(canvas->buf,
                                       "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" "
                                       "rx=\"4\"/>\n",
                                       x, y, size.width, size.height);
        put_text(canvas, x + GAP, at, "id", json_text(step, "id"));
        put_text(canvas, x + GAP + text_width(json_text(step, "id")) + 2 * LETTER, at, "kind",
                 json_text(step, "kind"));
        if (has_text(step))
                put_text(canvas, x + GAP, at += LINE, "text", json_text(step, "text"));
        cJSON_ArrayForEach(note, json_get(step, "notes")) {
                put_text(canvas, x + GAP, at += LINE, "kind", note->valuestring);
        }
        if (json_get(step, "arms"))
                draw_arms(canvas, step, x + GAP, at + GAP / 2);
        else
                draw_list(canvas, json_get(called ? called : step, "steps"), x + GAP, at + GAP / 2,
                          size.width - 2 * GAP);
}

/* Steps lie below each other, each joined to the one before. */
static void draw_list(Canvas *canvas, const cJSON *list, int x, int y, int width) {
        const cJSON *step;

        cJSON_ArrayForEach(step, list) {
                Size size = size_step(step);

                size.width = wider(size.width, width);
                if (step != list->child && canvas->r >= 0)
                        canvas->r = buf_printf(canvas->buf,
                                               "<path d=\"M%d %dv%d\" marker-end=\"url(#a)\"/>\n",
                                               x + size.width / 2, y - GAP, GAP - 1);
                draw_step(canvas, step, x, y, size);
                y += size.height + GAP;
        }
}

static const char head[] =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
        "%d\">\n"
        "<style>rect{fill:#fff;fill-opacity:.6;stroke:#456}path{stroke:#456;fill:none}"
        "text{font:12px monospace;fill:#123}.id{font-weight:bold}.kind,.arm{fill:#567}</style>\n"
        "<defs><marker id=\"a\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8\"/></marker></defs>\n"
        "<rect width=\"%d\" height=\"%d\" style=\"fill:#eef2f6;stroke:none;fill-opacity:1\"/>\n";

int workflow_svg(const cJSON *tree, Buf *buf) {
        const cJSON *steps = json_get(tree, "steps"), *finally = json_get(tree, "finally");
        Size main = size_list(steps), last = size_list(finally);
        int width = wider(main.width, last.width) + 2 * GAP;
        int height = main.height + 2 * GAP + 2 * LINE + (finally ? last.height + 2 * LINE : 0);
        Canvas canvas = { .buf = buf };

        width = wider(width, text_width(json_text(tree, "description")) + 2 * GAP);
        canvas.r = buf_printf(buf, head, width, height, width, height, width, height);
        put_text(&canvas, GAP, GAP, "id", json_text(tree, "name"));
        put_text(&canvas, GAP, GAP + LINE, "kind", json_text(tree, "description"));
        draw_list(&canvas, steps, GAP, GAP + 2 * LINE, main.width);
        if (finally) {
                int y = 2 * GAP + 3 * LINE + main.height;

                put_text(&canvas, GAP, y - LINE / 2, "arm", "finally");
                draw_list(&canvas, finally, GAP, y, last.width);
        }
        return canvas.r < 0 ? canvas.r : buf_printf(buf, "</svg>\n");
}

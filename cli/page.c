/* page: see page.h. */
#include "cli/page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"

void page_deinit(Page *page) {
        buf_deinit(&page->buf);
}

static void add(Page *page, const char *bytes, size_t n) {
        if (page->r == 0 && n > 0)
                page->r = buf_append(&page->buf, bytes, n);
}

void page_raw(Page *page, const char *markup) {
        add(page, markup, strlen(markup));
}

void page_printf(Page *page, const char *format, ...) {
        autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = NULL;
        va_end(args);
        if (!text && page->r == 0)
                page->r = -ENOMEM;
        if (text)
                page_raw(page, text);
}

static const char *entity_of(char byte) {
        switch (byte) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '"':
                return "&quot;";
        case '\'':
                return "&#39;";
        default:
                return NULL;
        }
}

/* Text that escape_text() has made: well-formed UTF-8 without control characters. */
static void add_safe(Page *page, const char *text, size_t n) {
        size_t from = 0, at = 0;

        while (at < n) {
                const char *entity = entity_of(text[at]);
                uint32_t code = 0;
                size_t step = utf8_next(text + at, n - at, &code);

                if (!entity && (code & 0xfffe) != 0xfffe) {
                        at += step ? step : 1;
                        continue;
                }
                add(page, text + from, at - from);
                if (entity)
                        page_raw(page, entity);
                else
                        page_printf(page, "\\u%04x", code);
                at += step ? step : 1;
                from = at;
        }
        add(page, text + from, n - from);
}

void page_text_n(Page *page, const char *text, size_t n) {
        Buf safe = BUF_EMPTY(4 * n + 1);

        if (n > 0 && page->r == 0)
                page->r = escape_text(&safe, text, n, 1);
        if (safe.data)
                add_safe(page, safe.data, safe.len);
        buf_deinit(&safe);
}

void page_text(Page *page, const char *text) {
        if (text)
                page_text_n(page, text, strlen(text));
}

void page_line(Page *page, const char *text, size_t max) {
        autofree char *line = text ? escape_new(text, max) : NULL;

        if (line)
                add_safe(page, line, strlen(line));
}

/* ---- Markdown ------------------------------------------------------------------------------------ */

static size_t longest_run(const char *text, char byte) {
        size_t longest = 0, run = 0;

        for (; *text; text++) {
                run = *text == byte ? run + 1 : 0;
                longest = run > longest ? run : longest;
        }
        return longest;
}

static void add_run(Page *page, size_t n) {
        for (size_t i = 0; i < n; i++)
                add(page, "`", 1);
}

static void add_code(Page *page, const char *text, size_t max, bool in_cell) {
        autofree char *line = escape_new(text && *text ? text : " ", max);
        size_t fence;

        if (!line) {
                page->r = -ENOMEM;
                return;
        }
        fence = longest_run(line, '`') + 1;
        add_run(page, fence);
        page_raw(page, fence > 1 ? " " : "");
        for (const char *at = line; *at; at++) {
                if (in_cell && *at == '|')
                        add(page, "\\", 1);
                add(page, at, 1);
        }
        page_raw(page, fence > 1 ? " " : "");
        add_run(page, fence);
}

void page_code(Page *page, const char *text, size_t max) {
        add_code(page, text, max, false);
}

void page_cell(Page *page, const char *text, size_t max) {
        add_code(page, text, max, true);
}

void page_fence(Page *page, const char *text) {
        Buf safe = BUF_EMPTY(4 * strlen(text) + 1);
        size_t fence;

        if (page->r == 0)
                page->r = escape_text(&safe, text, strlen(text), 1);
        if (!safe.data)
                return;
        fence = longest_run(safe.data, '`') + 1;
        fence = fence < 3 ? 3 : fence;
        add_run(page, fence);
        page_raw(page, "text\n");
        page_raw(page, safe.data);
        page_raw(page, safe.len && safe.data[safe.len - 1] == '\n' ? "" : "\n");
        add_run(page, fence);
        page_raw(page, "\n");
        buf_deinit(&safe);
}

char *page_take(Page *page) {
        char *text = page->r == 0 ? buf_take(&page->buf) : NULL;

        buf_deinit(&page->buf);
        return text;
}

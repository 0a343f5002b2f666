#pragma once
/*
 * page: a document that is being written: markup of ours as it is, text from outside escaped for the form.
 * The first failure stays, so that a writer needs one look at its end.
 */
#include "base/buf.h"

#define PAGE_MAX (64ul * 1024 * 1024)

typedef struct Page {
        Buf buf;
        int r; /* 0, or the first negative errno */
} Page;

#define PAGE_EMPTY ((Page){ .buf = BUF_EMPTY(PAGE_MAX) })

/** page_raw() - markup of ours */
void page_raw(Page *page, const char *markup);

/** page_printf() - markup of ours with numbers in it; never with text from outside */
void page_printf(Page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * page_text() - text from outside, for XML and HTML, in an element or in a quoted attribute
 *
 * Control bytes and what turns the direction of text are shown as \xNN, characters that XML does not know as
 * \uNNNN; the five special characters become entities. Lines and tabs stay. NULL is "".
 */
void page_text(Page *page, const char *text);

/** page_text_n() - the same of @n bytes */
void page_text_n(Page *page, const char *text, size_t n);

/** page_line() - the same on one line: at most @max bytes, with "…" where it is cut */
void page_line(Page *page, const char *text, size_t max);

/**
 * page_code() - text from outside as a code span of Markdown, on one line, at most @max bytes
 *
 * In a span nothing is markup, no name is a mention and no address a link; the fence is longer than any run
 * of backticks inside.
 */
void page_code(Page *page, const char *text, size_t max);

/** page_cell() - the same in a cell of a table, where a pipe needs a backslash */
void page_cell(Page *page, const char *text, size_t max);

/** page_fence() - text of several lines as a fenced block of Markdown */
void page_fence(Page *page, const char *text);

/** page_take() - hand the text over (free()); NULL where anything failed */
char *page_take(Page *page);

/** page_deinit() - release it */
void page_deinit(Page *page);

/*
 * report-diff: the patch is only shown here, nothing rests on how it is read: warder-files has judged it. Lines
 * of a hunk are counted by its head, so that a removed line "-- a/x" is no header of another file.
 */
#include "cli/report-diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"

#define SHOWN_MAX (1024ul * 1024) /* bytes of a patch that are shown */
#define OPEN_MAX  200u            /* lines of a file that is shown open */
#define NAME_SIZE 512

typedef struct FileDiff {
        char name[NAME_SIZE];
        const char *from, *to; /* its lines in the patch */
        unsigned added, removed, lines;
        bool binary, is_new, is_deleted;
} FileDiff;

typedef struct Hunk {
        unsigned long old, new; /* lines that are still to come */
} Hunk;

static bool begins(const char *line, const char *word) {
        return strncmp(line, word, strlen(word)) == 0;
}

/* "@@ -1,2 +3,4 @@"; a count that is missing is 1 */
static bool take_head(const char *line, Hunk *ret) {
        char *end;

        if (!begins(line, "@@ -"))
                return false;
        *ret = (Hunk){ 1, 1 };
        (void) strtoul(line + 4, &end, 10);
        if (*end == ',')
                ret->old = strtoul(end + 1, &end, 10);
        if (!begins(end, " +"))
                return false;
        (void) strtoul(end + 2, &end, 10);
        if (*end == ',')
                ret->new = strtoul(end + 1, &end, 10);
        return begins(end, " @@");
}

/* What kind of line this is: 'h'ead of a hunk, 'a'dded, 'd'eleted, ' ' context, 'm'eta. */
static char kind_of(const char *line, Hunk *hunk) {
        if (hunk->old + hunk->new == 0)
                return take_head(line, hunk) ? 'h' : 'm';
        switch (*line) {
        case '+':
                hunk->new -= hunk->new > 0;
                return 'a';
        case '-':
                hunk->old -= hunk->old > 0;
                return 'd';
        case '\\':
                return 'm';
        default:
                hunk->old -= hunk->old > 0;
                hunk->new -= hunk->new > 0;
                return ' ';
        }
}

static void copy_name(FileDiff *file, const char *name, size_t n) {
        (void) snprintf(file->name, sizeof(file->name), "%.*s",
                        (int) (n < sizeof(file->name) ? n : sizeof(file->name) - 1), name);
}

/* Of "diff --git a/x b/x", whose halves are equal but for a renaming, which has lines of its own. */
static void name_by_title(FileDiff *file, const char *line, size_t n) {
        size_t half = n > 16 ? (n - 16) / 2 : 0;

        copy_name(file, half ? line + 13 : "?", half ? half : 1);
}

static void take_meta(FileDiff *file, const char *line, size_t n) {
        file->is_new |= begins(line, "new file mode");
        file->is_deleted |= begins(line, "deleted file mode");
        file->binary |= begins(line, "GIT binary patch");
        if (begins(line, "rename to "))
                copy_name(file, line + 10, n - 10);
        else if (begins(line, "+++ b/"))
                copy_name(file, line + 6, strcspn(line + 6, "\t\n"));
}

/* One file from its title on. Returns: where the next one begins */
static const char *take_file(const char *at, FileDiff *file) {
        Hunk hunk = { 0 };

        *file = (FileDiff){ .from = at };
        name_by_title(file, at, strcspn(at, "\n"));
        for (bool first = true; *at; first = false) {
                size_t n = strcspn(at, "\n");
                char kind;

                if (!first && hunk.old + hunk.new == 0 && begins(at, "diff --git "))
                        break;
                kind = kind_of(at, &hunk);
                file->added += kind == 'a';
                file->removed += kind == 'd';
                file->lines++;
                if (kind == 'm')
                        take_meta(file, at, n);
                at += n + (at[n] == '\n');
        }
        file->to = at;
        return at;
}

/* ---- showing ------------------------------------------------------------------------------------- */

static void add_lines(Page *page, const FileDiff *file, const char *limit) {
        const char *at = file->from;
        Hunk hunk = { 0 };

        page_raw(page, "<pre class=\"diff\">");
        for (; at < file->to && at < limit; at += strcspn(at, "\n") + 1) {
                size_t n = strcspn(at, "\n");
                char kind = kind_of(at, &hunk);

                if (kind == ' ')
                        page_raw(page, "<span>");
                else
                        page_printf(page, "<span class=\"%c\">", kind);
                page_text_n(page, n ? at : " ", n ? n : 1);
                page_raw(page, "</span>");
        }
        if (at < file->to)
                page_raw(page, "<span class=\"m\">… the rest is in patch.diff</span>");
        page_raw(page, "</pre>");
}

/* Lists of a verdict hold names as escape_new() leaves them. */
static bool is_in(const cJSON *verdict, const char *member, const char *name) {
        autofree char *escaped = escape_new(name, 1024);
        const cJSON *one;

        cJSON_ArrayForEach(one, json_get(verdict, member)) {
                if (cJSON_IsString(one) && escaped && strcmp(one->valuestring, escaped) == 0)
                        return true;
        }
        return false;
}

static void add_marks(Page *page, const Report *report, const FileDiff *file) {
        if (is_in(report->verdict, "dangerous", file->name))
                page_raw(page, " <span class=\"badge bad\">taken away by the gate</span>");
        else if (is_in(report->verdict, "restored", file->name))
                page_raw(page, " <span class=\"badge bad\">put back by the gate</span>");
        if (is_in(report->verdict, "new_tests", file->name))
                page_raw(page, " <span class=\"badge blue\">new test</span>");
        if (file->is_new)
                page_raw(page, " <span class=\"badge\">new</span>");
        if (file->is_deleted)
                page_raw(page, " <span class=\"badge\">deleted</span>");
        if (file->binary)
                page_raw(page, " <span class=\"badge\">binary</span>");
}

static void add_file(Page *page, const Report *report, const FileDiff *file, const char *limit) {
        page_printf(page, "<details%s><summary><code>",
                    file->lines <= OPEN_MAX && !file->binary ? " open" : "");
        page_line(page, file->name, NAME_SIZE);
        page_printf(page,
                    "</code> <span class=\"badge good\">+%u</span> <span class=\"badge bad\">−%u"
                    "</span>",
                    file->added, file->removed);
        add_marks(page, report, file);
        page_raw(page, "</summary>");
        add_lines(page, file, limit);
        page_raw(page, "</details>\n");
}

void report_diff(Page *page, const Report *report) {
        const char *at = report->patch ? report->patch : "";
        const char *limit = at + strnlen(at, SHOWN_MAX);
        unsigned files = 0;

        if (!*at)
                return;
        page_raw(page, "<section>\n<h2>The patch</h2>\n");
        while (*at && !begins(at, "diff --git ")) /* a mail's head */
                at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
        for (; *at && at < limit; files++) {
                FileDiff file;

                at = take_file(at, &file);
                add_file(page, report, &file, limit);
        }
        if (*at)
                page_raw(page, "<p class=\"dim\">More files are in patch.diff.</p>\n");
        if (files == 0)
                page_raw(page, "<p class=\"dim\">It has no file in it that can be shown.</p>\n");
        page_raw(page, "</section>\n");
}

/* patch-head: see patch-head.h. */
#include "sandbox/files/patch-head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/patch-names.h"
#include "sandbox/files/patch-write.h"

/* What the lines of one header said. Each name is set once; "" is none. */
typedef struct Head {
        PatchCursor *cursor;
        PatchFile *file;
        char title[NAME_PATH_MAX + 2];
        char old[NAME_PATH_MAX + 2]; /* of "---", "rename from" and "copy from", prefix taken off */
        char new[NAME_PATH_MAX + 2];
        bool is_new;
        bool is_deleted;
        bool has_sides; /* a "---" or "+++" line */
        bool old_null;  /* it said /dev/null */
        bool new_null;
        bool rename_from;
        bool rename_to;
        bool copy_from;
        bool copy_to;
} Head;

typedef struct HeadLine {
        const char *text;
        int (*take)(Head *head, const char *rest, size_t n);
} HeadLine;

void patch_line_go(PatchCursor *cursor, const char *at) {
        const char *newline;

        for (; cursor->line && cursor->line < at; cursor->line = newline + 1) {
                newline = memchr(cursor->line, '\n', (size_t) (at - cursor->line));
                if (!newline)
                        break;
                cursor->number++;
        }
        if (!cursor->line)
                cursor->number = 1;
        cursor->line = at;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what has an end is there */
        newline = at < cursor->end ? memchr(at, '\n', (size_t) (cursor->end - at)) : NULL;
        cursor->n = (size_t) ((newline ? newline : cursor->end) - at);
}

void patch_line_next(PatchCursor *cursor) {
        const char *next = cursor->line + cursor->n;

        patch_line_go(cursor, next < cursor->end ? next + 1 : cursor->end);
}

bool patch_line_has(const PatchCursor *cursor, const char *text) {
        size_t n = strlen(text);

        return cursor->n >= n && memcmp(cursor->line, text, n) == 0;
}

int patch_head_refuse(const PatchCursor *cursor, RecordRule rule, const char *what) {
        return report_refuse(cursor->report, rule, "", "line %u of the patch: %s", cursor->number,
                             what);
}

static int bad(const Head *head, const char *what) {
        return patch_head_refuse(head->cursor, RULE_PATCH_FORM, what);
}

static int take_mode(Head *head, const char *rest, size_t n, unsigned *ret_mode) {
        static const struct {
                const char *text;
                unsigned mode;
        } modes[] = { { "100644", PATCH_MODE_FILE },
                      { "100755", PATCH_MODE_EXEC },
                      { "120000", PATCH_MODE_LINK } };
        size_t i;

        for (i = 0; i < ELEMENTS(modes); i++)
                if (n == 6 && memcmp(rest, modes[i].text, 6) == 0) {
                        if (*ret_mode != 0 && *ret_mode != modes[i].mode)
                                return bad(head, "two lines of the header give different modes");
                        *ret_mode = modes[i].mode;
                        return 0;
                }
        return patch_head_refuse(
                head->cursor, RULE_PATCH_MODE,
                "the mode is none of 100644, 100755 and 120000: nothing but files and "
                "links may come with a patch");
}

static int take_old_mode(Head *head, const char *rest, size_t n) {
        return take_mode(head, rest, n, &head->file->old_mode);
}

static int take_new_mode(Head *head, const char *rest, size_t n) {
        return take_mode(head, rest, n, &head->file->new_mode);
}

static int take_new_file(Head *head, const char *rest, size_t n) {
        head->is_new = true;
        return take_new_mode(head, rest, n);
}

static int take_deleted_file(Head *head, const char *rest, size_t n) {
        head->is_deleted = true;
        return take_old_mode(head, rest, n);
}

static int take_name(Head *head, const char *rest, size_t n, char *ret_name) {
        char name[NAME_PATH_MAX + 2];

        if (!patch_name_take(rest, n, name))
                return bad(head, "the name cannot be read");
        if (*ret_name && strcmp(ret_name, name) != 0)
                return bad(head, "two lines of the header give different names");
        memcpy(ret_name, name, strlen(name) + 1);
        return 0;
}

static int take_rename_from(Head *head, const char *rest, size_t n) {
        head->rename_from = true;
        return take_name(head, rest, n, head->old);
}

static int take_rename_to(Head *head, const char *rest, size_t n) {
        head->rename_to = true;
        return take_name(head, rest, n, head->new);
}

static int take_copy_from(Head *head, const char *rest, size_t n) {
        head->copy_from = true;
        return take_name(head, rest, n, head->old);
}

static int take_copy_to(Head *head, const char *rest, size_t n) {
        head->copy_to = true;
        return take_name(head, rest, n, head->new);
}

/* The name of a "---" or "+++" line, which has a prefix, or is /dev/null. */
static int take_side(Head *head, const char *rest, size_t n, char *ret_name, bool *ret_null) {
        char name[NAME_PATH_MAX + 2] = "";
        const char *stripped;
        int r = take_name(head, rest, n, name);

        head->has_sides = true;
        if (r < 0)
                return r;
        if (strcmp(name, "/dev/null") == 0) {
                *ret_null = true;
                return 0;
        }
        stripped = patch_name_strip(name);
        if (!stripped)
                return bad(head,
                           "the name lacks a prefix such as \"a/\": make the patch with git diff, "
                           "without --no-prefix");
        if (*ret_name && strcmp(ret_name, stripped) != 0)
                return bad(head, "two lines of the header give different names");
        memmove(ret_name, stripped, strlen(stripped) + 1);
        return 0;
}

static int take_old_side(Head *head, const char *rest, size_t n) {
        return take_side(head, rest, n, head->old, &head->old_null);
}

static int take_new_side(Head *head, const char *rest, size_t n) {
        return take_side(head, rest, n, head->new, &head->new_null);
}

static int take_similarity(Head *head, const char *rest, size_t n) {
        (void) head, (void) rest, (void) n;
        return 0;
}

static size_t hex_digits(const char *at, size_t n) {
        size_t i = 0;

        while (i < n && ((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
                i++;
        return i;
}

/* "OLD..NEW" or "OLD..NEW MODE": ids count only in full, the mode is the old one. */
static int take_index(Head *head, const char *rest, size_t n) {
        size_t first = hex_digits(rest, n), second;

        if (first == 0 || n < first + 3 || memcmp(rest + first, "..", 2) != 0)
                return bad(head, "the index line cannot be read");
        second = hex_digits(rest + first + 2, n - first - 2);
        if (first == 40 && second == 40) {
                memcpy(head->file->old_id, rest, 40);
                memcpy(head->file->new_id, rest + first + 2, 40);
        }
        rest += first + 2 + second;
        n -= first + 2 + second;
        if (second == 0 || (n > 0 && *rest != ' '))
                return bad(head, "the index line cannot be read");
        return n > 0 ? take_mode(head, rest + 1, n - 1, &head->file->old_mode) : 0;
}

static const HeadLine head_lines[] = {
        { "old mode ", take_old_mode },
        { "new mode ", take_new_mode },
        { "new file mode ", take_new_file },
        { "deleted file mode ", take_deleted_file },
        { "rename from ", take_rename_from },
        { "rename old ", take_rename_from },
        { "rename to ", take_rename_to },
        { "rename new ", take_rename_to },
        { "copy from ", take_copy_from },
        { "copy to ", take_copy_to },
        { "similarity index ", take_similarity },
        { "dissimilarity index ", take_similarity },
        { "index ", take_index },
        { "--- ", take_old_side },
        { "+++ ", take_new_side },
};

static const HeadLine *find_line(const PatchCursor *cursor) {
        size_t i;

        for (i = 0; i < ELEMENTS(head_lines); i++)
                if (patch_line_has(cursor, head_lines[i].text))
                        return &head_lines[i];
        return NULL;
}

static int check_name(Head *head, const char *name) {
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(name, strlen(name), clean);

        if (rule == RULE_NONE && !*clean)
                rule = RULE_NAME_EMPTY;
        if (rule == RULE_NONE && name_has_git(clean))
                rule = RULE_NAME_GIT;
        if (rule != RULE_NONE)
                return report_refuse(head->cursor->report, rule, name, "%s", name_sentence(rule));
        if (strcmp(name, clean) != 0)
                return bad(head, "the name has empty or \".\" components");
        return 0;
}

static int check_kind(Head *head) {
        bool rename = head->rename_from || head->rename_to, copy = head->copy_from || head->copy_to;

        if (head->is_new + head->is_deleted + rename + copy > 1)
                return bad(head, "the header says two of new, deleted, renamed and copied");
        if (head->rename_from != head->rename_to || head->copy_from != head->copy_to)
                return bad(head, "the header has but half of a renaming or a copy");
        if (head->has_sides &&
            (head->old_null != head->is_new || head->new_null != head->is_deleted))
                return bad(head,
                           "the header's /dev/null does not agree with what it says of the file");
        if (head->file->old_mode != 0 && head->file->new_mode != 0 &&
            (head->file->old_mode == PATCH_MODE_LINK) != (head->file->new_mode == PATCH_MODE_LINK))
                return bad(head,
                           "the header turns a file into a link or back: that takes two changes");
        return 0;
}

/* What the title, the side lines and the renaming say about the names must be one thing. */
static int settle_names(Head *head) {
        bool two = head->rename_from || head->copy_from;
        char *old = head->old, *new = head->new;
        int r;

        if (!two) {
                if (!*old)
                        (void) snprintf(old, sizeof(head->old), "%s", *new ? new : head->title);
                if (!*new)
                        (void) snprintf(new, sizeof(head->new), "%s", old);
                if (strcmp(old, new) != 0 || (*head->title && strcmp(old, head->title) != 0))
                        return bad(head,
                                   "the header names two files, but says nothing of a renaming");
        }
        if (!*old || !*new)
                return bad(head, "the header has no name that can be read");
        r = check_name(head, old);
        return r < 0 ? r : check_name(head, new);
}

static int keep(Head *head, Error *err) {
        PatchFile *file = head->file;

        file->copy = head->copy_from;
        if (!head->is_new)
                file->old_path = strdup(head->old);
        if (!head->is_deleted)
                file->new_path = strdup(head->new);
        if ((!head->is_new && !file->old_path) || (!head->is_deleted && !file->new_path))
                return error_set(err, -ENOMEM, "read the patch");
        return 0;
}

int patch_head_read(PatchCursor *cursor, PatchFile *file, Error *err) {
        autofree Head *head = calloc(1, sizeof(*head));
        const size_t title = strlen("diff --git ");
        const HeadLine *line;
        int r = 0;

        if (!head)
                return error_set(err, -ENOMEM, "read the patch");
        head->cursor = cursor;
        head->file = file;
        if (!patch_name_title(cursor->line + title, cursor->n - title, head->title))
                head->title[0] = 0;
        for (patch_line_next(cursor); r >= 0 && cursor->line < cursor->end;
             patch_line_next(cursor)) {
                line = find_line(cursor);
                if (!line)
                        break;
                r = line->take(head, cursor->line + strlen(line->text),
                               cursor->n - strlen(line->text));
                if (r < 0)
                        return r;
        }
        r = check_kind(head);
        if (r >= 0)
                r = settle_names(head);
        return r < 0 ? r : keep(head, err);
}

/* patch-hunk: see patch-hunk.h. */
#include "sandbox/files/patch-hunk.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"

#define NUMBER_MAX  1000000000u /* lines: far more than PATCH_FILE_MAX bytes can have */
#define MARKER_MIN  12          /* "\ No newline", in whatever language */
#define LINES_FIRST 1024u

typedef struct Line {
        const char *
                bytes; /* borrowed from the file or from the patch; with its newline, if it has one */
        size_t n;
        bool patched; /* put there by an earlier hunk, and no context for a later one */
} Line;

typedef struct Image {
        Line *lines; /* owned */
        size_t n;
        size_t room;
} Image;

static void image_deinit(Image *image) {
        free(image->lines);
        *image = (Image){ 0 };
}

static int image_add(Image *image, Line line) {
        if (image->n == image->room) {
                size_t room = image->room > 0 ? image->room * 2 : LINES_FIRST;
                Line *more = reallocarray(image->lines, room, sizeof(Line));

                if (!more)
                        return -ENOMEM;
                image->lines = more;
                image->room = room;
        }
        image->lines[image->n++] = line;
        return 0;
}

static const char *line_end(const char *at, const char *end) {
        const char *newline = memchr(at, '\n', (size_t) (end - at));

        return newline ? newline + 1 : end;
}

bool hunk_is_head(const char *at, const char *end) {
        return end - at > 4 && strncmp(at, "@@ -", 4) == 0;
}

static bool take_number(const char **at, const char *end, uint64_t *ret_value) {
        const char *start = *at;
        uint64_t value = 0;

        for (; *at < end && **at >= '0' && **at <= '9' && value < NUMBER_MAX; (*at)++)
                value = value * 10 + (uint64_t) (**at - '0');
        *ret_value = value;
        return *at > start && value < NUMBER_MAX;
}

static bool take_text(const char **at, const char *end, const char *text) {
        size_t n = strlen(text);

        if ((size_t) (end - *at) < n || memcmp(*at, text, n) != 0)
                return false;
        *at += n;
        return true;
}

/* "12,3" or "12", which means one line. */
static bool take_range(const char **at, const char *end, uint64_t *ret_pos, uint64_t *ret_lines) {
        *ret_lines = 1;
        if (!take_number(at, end, ret_pos))
                return false;
        return !take_text(at, end, ",") || take_number(at, end, ret_lines);
}

static bool is_marker(const char *at, const char *end) {
        return line_end(at, end) - at >= MARKER_MIN && at[0] == '\\' && at[1] == ' ';
}

/* Count one line of a hunk down. Returns: false where no line may begin so, or the counts are used up. */
static bool count_line(PatchHunk *hunk, char mark, uint64_t *old_left, uint64_t *new_left,
                       bool *changed) {
        bool in_old = mark == ' ' || mark == '\n' || mark == '-';
        bool in_new = mark == ' ' || mark == '\n' || mark == '+';

        if ((!in_old && !in_new) || (in_old && *old_left == 0) || (in_new && *new_left == 0))
                return false;
        *old_left -= in_old;
        *new_left -= in_new;
        if (in_old && in_new) {
                hunk->trailing++;
        } else {
                hunk->trailing = 0;
                *changed = true;
        }
        return true;
}

static int take_lines(const char **at, const char *end, PatchHunk *hunk) {
        uint64_t old_left = hunk->old_lines, new_left = hunk->new_lines;
        bool changed = false;

        hunk->lines = *at;
        while (old_left > 0 || new_left > 0) {
                const char *next;

                if (*at >= end)
                        return -EBADMSG;
                next = line_end(*at, end);
                if (next[-1] != '\n')
                        return -EBADMSG;
                if (!is_marker(*at, end) && !count_line(hunk, **at, &old_left, &new_left, &changed))
                        return -EBADMSG;
                *at = next;
        }
        if (*at < end && is_marker(*at, end))
                *at = line_end(*at, end);
        hunk->end = *at;
        return changed ? 0 : -EBADMSG;
}

int hunk_take(const char **at, const char *end, PatchHunk *ret_hunk) {
        const char *head_end = line_end(*at, end), *here = *at;
        PatchHunk hunk = { 0 };
        int r;

        if (!take_text(&here, head_end, "@@ -") ||
            !take_range(&here, head_end, &hunk.old_pos, &hunk.old_lines) ||
            !take_text(&here, head_end, " +") ||
            !take_range(&here, head_end, &hunk.new_pos, &hunk.new_lines) ||
            !take_text(&here, head_end, " @@"))
                return -EBADMSG;
        here = head_end;
        r = take_lines(&here, end, &hunk);
        if (r < 0)
                return r;
        *at = here;
        *ret_hunk = hunk;
        return 0;
}

static int split(HunkBytes bytes, Image *image) {
        const char *at = bytes.n > 0 ? bytes.bytes : "", *end = at + bytes.n;
        int r = 0;

        while (r >= 0 && at < end) {
                const char *next = line_end(at, end);

                r = image_add(image, (Line){ .bytes = at, .n = (size_t) (next - at) });
                at = next;
        }
        return r;
}

/* The lines of one side of a hunk: with '-' as @other they are those of the new file, with '+' of the old. */
static int side_lines(const PatchHunk *hunk, char other, Image *image) {
        const char *at = hunk->lines;
        bool ours = false;
        int r = 0;

        while (at < hunk->end && r >= 0) {
                const char *next = line_end(at, hunk->end);
                bool blank = *at == '\n'; /* a line of context whose blank an editor took away */

                if (is_marker(at, hunk->end)) {
                        if (ours && image->lines[image->n - 1].n > 0)
                                image->lines[image->n - 1].n--;
                } else {
                        ours = *at != other;
                        if (ours)
                                r = image_add(image, (Line){ .bytes = at + !blank,
                                                             .n = (size_t) (next - at) - !blank,
                                                             .patched = other == '-' });
                }
                at = next;
        }
        return r;
}

static bool fits_at(const Image *image, const Image *old, size_t at) {
        size_t i;

        if (at > image->n || old->n > image->n - at)
                return false;
        for (i = 0; i < old->n; i++) {
                const Line *have = &image->lines[at + i], *want = &old->lines[i];

                if (have->patched || have->n != want->n ||
                    memcmp(have->bytes, want->bytes, want->n) != 0)
                        return false;
        }
        return true;
}

/* From @line outwards, first one further on, then one further back. Returns: false where it fits nowhere. */
static bool find_near(const Image *image, const Image *old, size_t line, size_t *ret_at) {
        size_t back = line, on = line;

        if (fits_at(image, old, line)) {
                *ret_at = line;
                return true;
        }
        while (back > 0 || on < image->n) {
                if (on < image->n && fits_at(image, old, ++on)) {
                        *ret_at = on;
                        return true;
                }
                if (back > 0 && fits_at(image, old, --back)) {
                        *ret_at = back;
                        return true;
                }
        }
        return false;
}

static bool find_place(const Image *image, const Image *old, const PatchHunk *hunk,
                       size_t *ret_at) {
        bool at_start = hunk->old_pos <= 1, at_end = hunk->trailing == 0;
        size_t line = hunk->new_pos > 0 ? (size_t) hunk->new_pos - 1 : 0;

        if (at_start)
                line = 0;
        else if (at_end && image->n >= old->n)
                line = image->n - old->n;
        if (line > image->n)
                line = image->n;
        if (!at_start && !at_end)
                return find_near(image, old, line, ret_at);
        *ret_at = line;
        return fits_at(image, old, line) && (!at_start || line == 0) &&
               (!at_end || line + old->n == image->n);
}

/* Put the lines of @new in the place of @n lines at @at. */
static int splice(Image *image, size_t at, size_t n, const Image *new) {
        size_t behind = image->n - at - n, i;
        int r = 0;

        for (i = 0; i < new->n &&r >= 0; i++) /* room, its content is moved over */
                r = image_add(image, (Line){ 0 });
        if (r < 0)
                return r;
        if (behind > 0) /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): it has lines */
                memmove(image->lines + at + new->n, image->lines + at + n, behind * sizeof(Line));
        if (new->n > 0)
                memcpy(image->lines + at, new->lines, new->n * sizeof(Line));
        image->n -= n;
        return 0;
}

static int apply_one(Image *image, const PatchHunk *hunk) {
        Image old = { 0 }, new = { 0 };
        size_t at = 0;
        int r = side_lines(hunk, '+', &old);

        if (r >= 0)
                r = side_lines(hunk, '-', &new);
        if (r >= 0 && !find_place(image, &old, hunk, &at))
                r = 1;
        if (r == 0)
                r = splice(image, at, old.n, &new);
        image_deinit(&old);
        image_deinit(&new);
        return r;
}

static int join(const Image *image, char **ret_bytes, size_t *ret_n) {
        size_t n = 0, i;
        char *bytes, *at;

        for (i = 0; i < image->n; i++)
                n += image->lines[i].n;
        at = bytes = malloc(n + 1);
        if (!bytes)
                return -ENOMEM;
        for (i = 0; i < image->n; i++) {
                memcpy(at, image->lines[i].bytes, image->lines[i].n);
                at += image->lines[i].n;
        }
        *at = 0;
        *ret_bytes = bytes;
        *ret_n = n;
        return 0;
}

HunkSpan hunk_span(const PatchHunk *hunk) {
        uint64_t line = hunk->new_lines > 0 ? hunk->new_pos : hunk->new_pos + 1;
        HunkSpan span = { 0 };

        for (const char *at = hunk->lines; at < hunk->end; at = line_end(at, hunk->end)) {
                if (is_marker(at, hunk->end))
                        continue;
                if (*at != '+' && *at != '-') {
                        line++;
                        continue;
                }
                if (span.first == 0)
                        span.first = line;
                line += *at == '+';
                span.lines = line - span.first;
        }
        return span;
}

/* The hunk stands where it would had the one before it never been there. */
static void move_hunk(PatchHunk *hunk, int64_t by) {
        if (by < 0 || (uint64_t) by <= hunk->new_pos)
                hunk->new_pos -= (uint64_t) by;
        else
                hunk->new_pos = 0;
}

int hunk_apply_all(HunkBytes hunks, HunkBytes old, unsigned without, char **ret_bytes,
                   size_t *ret_n) {
        const char *at = hunks.n > 0 ? hunks.bytes : "", *end = at + hunks.n;
        PatchHunk hunk = { 0 };
        Image image = { 0 };
        int64_t moved = 0;
        int r = split(old, &image), number = 0;

        while (r == 0 && at < end) {
                number++;
                r = hunk_take(&at, end, &hunk);
                if (r < 0)
                        break;
                if ((unsigned) number == without) {
                        moved = (int64_t) hunk.new_lines - (int64_t) hunk.old_lines;
                        continue;
                }
                move_hunk(&hunk, moved);
                r = apply_one(&image, &hunk);
        }
        if (r == 0)
                r = join(&image, ret_bytes, ret_n);
        image_deinit(&image);
        return r > 0 ? number : r;
}

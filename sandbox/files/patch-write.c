/* patch-write: see patch-write.h. */
#include "sandbox/files/patch-write.h"

#include <stdbool.h>
#include <string.h>

#include "sandbox/files/blob-id.h"

#define ID_NOTHING "0000000000000000000000000000000000000000"

/* "a/path", in quotes and escaped as git does where the path has anything but plain ASCII. */
static int write_name(Buf *patch, const char *side, const char *path) {
        static const char plain[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
        const unsigned char *at;
        bool quote = false;
        int r;

        for (at = (const unsigned char *) path; *at; at++)
                quote |= *at < 0x20 || *at >= 0x7f || *at == '"' || *at == '\\';
        if (!quote)
                return buf_printf(patch, "%s/%s", side, path);
        r = buf_printf(patch, "\"%s/", side);
        for (at = (const unsigned char *) path; *at && r >= 0; at++) {
                const char *escape = strchr(plain, *at);

                if (escape)
                        r = buf_printf(patch, "\\%c", letters[escape - plain]);
                else if (*at < 0x20 || *at >= 0x7f)
                        r = buf_printf(patch, "\\%03o", *at);
                else
                        r = buf_append(patch, at, 1);
        }
        return r < 0 ? r : buf_append(patch, "\"", 1);
}

/* "--- a/path": a name with a blank gets a tab at its end, by which readers know where it ends. */
static int write_side(Buf *patch, const char *mark, const char *side, const char *path) {
        int r = buf_printf(patch, "%s ", mark);

        if (r >= 0)
                r = path ? write_name(patch, side, path) : buf_printf(patch, "/dev/null");
        return r < 0 ? r : buf_printf(patch, "%s\n", path && strchr(path, ' ') ? "\t" : "");
}

static int write_title(Buf *patch, const char *path) {
        int r = buf_printf(patch, "diff --git ");

        if (r >= 0)
                r = write_name(patch, "a", path);
        if (r >= 0)
                r = buf_append(patch, " ", 1);
        if (r >= 0)
                r = write_name(patch, "b", path);
        return r < 0 ? r : buf_append(patch, "\n", 1);
}

static int write_modes(Buf *patch, unsigned old, unsigned new) {
        if (old == 0)
                return buf_printf(patch, "new file mode %06o\n", new);
        if (new == 0)
                return buf_printf(patch, "deleted file mode %06o\n", old);
        if (old != new)
                return buf_printf(patch, "old mode %06o\nnew mode %06o\n", old, new);
        return 0;
}

static int write_index(Buf *patch, const PatchSide *old, const PatchSide *new, Error *err) {
        char from[BLOB_ID_TEXT_MAX] = ID_NOTHING, to[BLOB_ID_TEXT_MAX] = ID_NOTHING;
        int r = 0;

        if (old->mode != 0)
                r = blob_id(old->content.bytes, old->content.n, from, err);
        if (r >= 0 && new->mode != 0)
                r = blob_id(new->content.bytes, new->content.n, to, err);
        if (r < 0)
                return r;
        if (old->mode == new->mode)
                return buf_printf(patch, "index %s..%s %06o\n", from, to, old->mode);
        return buf_printf(patch, "index %s..%s\n", from, to);
}

static bool same_content(const PatchSide *old, const PatchSide *new) {
        size_t n = old->content.n;

        return n == new->content.n &&
               (n == 0 || memcmp(old->content.bytes, new->content.bytes, n) == 0);
}

static int write_body(Buf *patch, const char *path, const PatchSide *old, const PatchSide *new,
                      Error *err) {
        Buf body = BUF_EMPTY(patch->max);
        bool binary = false;
        int r = hunks_make(old->content, new->content, &body, &binary, err);

        if (r >= 0 && !binary)
                r = write_side(patch, "---", "a", old->mode ? path : NULL);
        if (r >= 0 && !binary)
                r = write_side(patch, "+++", "b", new->mode ? path : NULL);
        if (r >= 0)
                r = buf_append(patch, body.data, body.len);
        buf_deinit(&body);
        return r;
}

int patch_write(Buf *patch, const char *path, const PatchSide *old, const PatchSide *new,
                Error *err) {
        bool same = same_content(old, new);
        bool both = old->mode != 0 && new->mode != 0;
        int r;

        if (same && old->mode == new->mode)
                return 0;
        r = write_title(patch, path);
        if (r >= 0)
                r = write_modes(patch, old->mode, new->mode);
        if (r >= 0 && !(same && both))
                r = write_index(patch, old, new, err);
        if (r >= 0 && !same)
                r = write_body(patch, path, old, new, err);
        return r < 0 && err && err->code == 0 ? error_set(err, r, "write the patch") : r;
}

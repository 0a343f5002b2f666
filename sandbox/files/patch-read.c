/* patch-read: see patch-read.h. */
#include "sandbox/files/patch-read.h"

#include <errno.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/patch-head.h"
#include "sandbox/files/patch-hunk.h"

void patch_keep(Patch *patch, bool (*stays)(const PatchFile *file, const void *userdata),
                const void *userdata) {
        unsigned kept = 0;

        for (unsigned i = 0; i < patch->n_files; i++) {
                PatchFile file = patch->files[i];

                if (stays(&patch->files[i], userdata)) {
                        patch->files[kept++] = file;
                } else {
                        free(file.old_path);
                        free(file.new_path);
                }
        }
        patch->n_files = kept;
}

void patch_deinit(Patch *patch) {
        while (patch->n_files > 0) {
                PatchFile *file = &patch->files[--patch->n_files];

                free(file->old_path);
                free(file->new_path);
        }
        free(patch->files);
        free(patch->text);
        *patch = PATCH_EMPTY;
}

static int bad(const PatchCursor *cursor, const char *what) {
        return patch_head_refuse(cursor, RULE_PATCH_FORM, what);
}

/* Would git take a line outside of all files for a change? Then passing over it would lose that change. */
static bool is_change(const PatchCursor *cursor) {
        const char *next = cursor->line + cursor->n + 1;

        if (hunk_is_head(cursor->line, cursor->end))
                return true;
        return patch_line_has(cursor, "--- ") && cursor->end - next > 4 &&
               strncmp(next, "+++ ", 4) == 0;
}

static int read_hunks(PatchCursor *cursor, PatchFile *file) {
        const char *start = cursor->line, *at = start;
        PatchHunk hunk;

        while (hunk_is_head(at, cursor->end)) {
                if (hunk_take(&at, cursor->end, &hunk) < 0) {
                        patch_line_go(cursor, at);
                        return bad(cursor,
                                   "the hunk is damaged: its lines are not those that it counts");
                }
                if ((!file->old_path && hunk.old_lines > 0) ||
                    (!file->new_path && hunk.new_lines > 0))
                        return bad(cursor, "a new file has old lines, or a deleted one new lines");
        }
        file->body = (HunkBytes){ .bytes = start, .n = (size_t) (at - start) };
        patch_line_go(cursor, at);
        return 0;
}

/* "literal N" or "delta N", lines of base 85, and an empty line. */
static bool take_binary_half(PatchCursor *cursor) {
        if (!patch_line_has(cursor, "literal ") && !patch_line_has(cursor, "delta "))
                return false;
        while (cursor->line < cursor->end && cursor->n > 0)
                patch_line_next(cursor);
        if (cursor->line >= cursor->end)
                return false;
        patch_line_next(cursor);
        return true;
}

static int read_binary(PatchCursor *cursor, PatchFile *file) {
        const char *start = cursor->line;

        if (strlen(file->old_id) == 0 || strlen(file->new_id) == 0)
                return bad(cursor,
                           "a binary file without whole ids in its index line: make the patch "
                           "with git diff --binary");
        patch_line_next(cursor);
        if (!take_binary_half(cursor))
                return bad(cursor, "the binary piece is damaged");
        if (patch_line_has(cursor, "literal ") || patch_line_has(cursor, "delta "))
                if (!take_binary_half(cursor))
                        return bad(cursor, "the binary piece is damaged");
        file->binary = true;
        file->body = (HunkBytes){ .bytes = start, .n = (size_t) (cursor->line - start) };
        return 0;
}

static int read_body(PatchCursor *cursor, PatchFile *file) {
        if (hunk_is_head(cursor->line, cursor->end))
                return read_hunks(cursor, file);
        if (patch_line_has(cursor, "GIT binary patch"))
                return read_binary(cursor, file);
        if (patch_line_has(cursor, "Binary files ") || patch_line_has(cursor, "Files "))
                return bad(cursor,
                           "a binary file changed, but its content is not in the patch: make "
                           "the patch with git diff --binary");
        return 0;
}

static int add_file(Patch *patch, PatchFile **ret_file) {
        if ((patch->n_files & (patch->n_files + 1)) == 0) { /* full at 0, 1, 3, 7 …: room doubles */
                PatchFile *more = reallocarray(patch->files, 2 * (size_t) patch->n_files + 1,
                                               sizeof(PatchFile));

                if (!more)
                        return -ENOMEM;
                patch->files = more;
        }
        patch->files[patch->n_files] = (PatchFile){ 0 };
        *ret_file = &patch->files[patch->n_files++];
        return 0;
}

bool patch_file_changes_head(const PatchFile *file) {
        if (!file->old_path || !file->new_path || strcmp(file->old_path, file->new_path) != 0)
                return true;
        return file->old_mode != 0 && file->new_mode != 0 && file->old_mode != file->new_mode;
}

static int read_file(PatchCursor *cursor, Patch *patch, Error *err) {
        PatchFile *file = NULL;
        int r;

        if (patch->n_files >= PATCH_FILES_MAX)
                return patch_head_refuse(cursor, RULE_TOO_MANY_ENTRIES,
                                         "the patch changes too many files");
        r = add_file(patch, &file);
        if (r < 0)
                return error_set(err, r, "read the patch");
        r = patch_head_read(cursor, file, err);
        if (r >= 0)
                r = read_body(cursor, file);
        if (r >= 0 && file->body.n == 0 && !patch_file_changes_head(file))
                r = bad(cursor, "the header is followed by no change, and is none itself");
        return r;
}

int patch_parse(Patch *patch, Report *report, Error *err) {
        PatchCursor cursor = { .end = patch->text + patch->n, .report = report };
        bool blank = true;
        int r = 0;

        patch_line_go(&cursor, patch->text);
        while (r >= 0 && cursor.line < cursor.end) {
                if (patch_line_has(&cursor, "diff --git ")) {
                        r = read_file(&cursor, patch, err);
                        continue;
                }
                if (is_change(&cursor))
                        return bad(&cursor,
                                   "a change without a \"diff --git\" line: make the patch with "
                                   "git diff");
                blank &= cursor.n == 0;
                patch_line_next(&cursor);
        }
        if (r >= 0 && patch->n_files == 0 && !blank)
                return bad(&cursor,
                           "no change in git's form is in it: make the patch with git diff");
        return r;
}

int patch_read(int fd, uint64_t at, Patch *patch, Report *report, Error *err) {
        int r = at == PATCH_AT_HERE
                        ? fd_read_all(fd, PATCH_TEXT_MAX, &patch->text, &patch->n)
                        : fd_read_all_at(fd, at, PATCH_TEXT_MAX, &patch->text, &patch->n);

        if (r == -EFBIG)
                return report_refuse(report, RULE_FILE_SIZE, "", "the patch is larger than %u MiB",
                                     PATCH_TEXT_MAX >> 20);
        if (r < 0)
                return error_set(err, r, "read the patch");
        return patch_parse(patch, report, err);
}

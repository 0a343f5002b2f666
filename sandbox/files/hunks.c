/* hunks: see hunks.h. */
#include "sandbox/files/hunks.h"

#include <errno.h>
#include <git2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"

/* The one name that libgit2 sees. */
#define NAME "f"

DEFINE_SCOPED(git_patch *, git_patch_free);

static int failed(Error *err, int code, const char *what) {
        const git_error *last = git_error_last();

        return error_say(err, code, "%s: libgit2: %s", what,
                         last ? last->message : "no reason given");
}

int hunks_start(Error *err) {
        static const int levels[] = { GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                      GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA };
        size_t i;

        if (git_libgit2_init() < 0)
                return failed(err, -ENOTSUP, "start libgit2");
        for (i = 0; i < ELEMENTS(levels); i++)
                if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
                        return failed(err, -ENOTSUP, "keep libgit2 from reading configuration");
        return 0;
}

int hunks_blob_id(const void *bytes, size_t n, char *ret_text, Error *err) {
        git_oid id;

        if (git_odb_hash(&id, n > 0 ? bytes : "", n, GIT_OBJECT_BLOB) < 0)
                return failed(err, -EIO, "name a file's content");
        git_oid_tostr(ret_text, HUNKS_ID_TEXT_MAX, &id);
        return 0;
}

static bool has_zero(HunkBytes content) {
        return content.n > 0 && memchr(content.bytes, 0, content.n);
}

/* What libgit2 prints begins with headers for its own idea of the file: only what follows them is kept. */
static int keep_body(const git_buf *text, bool binary, Buf *patch, Error *err) {
        const char *mark = binary ? "GIT binary patch\n" : "@@ -";
        const char *at = text->ptr, *end = text->ptr + text->size;
        int r;

        while (at < end && strncmp(at, mark, strlen(mark)) != 0) {
                const char *next = memchr(at, '\n', (size_t) (end - at));

                at = next ? next + 1 : end;
        }
        r = buf_append(patch, at, (size_t) (end - at));
        return r < 0 ? error_set(err, r, "write a piece of the patch") : 0;
}

int hunks_make(HunkBytes old, HunkBytes new, Buf *patch, bool *ret_binary, Error *err) {
        git_diff_options options;
        SCOPED(git_patch_free) git_patch *made = NULL;
        git_buf text = { 0 };
        bool binary = has_zero(old) || has_zero(new);
        int r;

        git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
        options.flags =
                GIT_DIFF_SHOW_BINARY | (binary ? GIT_DIFF_FORCE_BINARY : GIT_DIFF_FORCE_TEXT);
        if (git_patch_from_buffers(&made, old.n > 0 ? old.bytes : "", old.n, NAME,
                                   new.n > 0 ? new.bytes : "", new.n, NAME, &options) < 0 ||
            git_patch_to_buf(&text, made) < 0)
                return failed(err, -EIO, "compare two files");
        r = keep_body(&text, binary, patch, err);
        git_buf_dispose(&text);
        if (r >= 0)
                *ret_binary = binary;
        return r;
}

static git_merge_file_input input_of(HunkBytes content) {
        return (git_merge_file_input){ .version = GIT_MERGE_FILE_INPUT_VERSION,
                                       .ptr = content.n > 0 ? content.bytes : "",
                                       .size = content.n,
                                       .path = NAME,
                                       .mode = 0100644 };
}

int hunks_merge(HunkBytes base, HunkBytes ours, HunkBytes theirs, HunksMerged *ret_merged,
                Error *err) {
        const git_merge_file_input old = input_of(base), one = input_of(ours),
                                   other = input_of(theirs);
        const git_merge_file_options options = { .version = GIT_MERGE_FILE_OPTIONS_VERSION,
                                                 .our_label = "ours",
                                                 .their_label = "theirs",
                                                 .flags = GIT_MERGE_FILE_STYLE_MERGE |
                                                          GIT_MERGE_FILE_SIMPLIFY_ALNUM };
        git_merge_file_result result = { 0 };
        char *bytes;

        if (git_merge_file(&result, &old, &one, &other, &options) < 0)
                return failed(err, -EIO, "merge two changes of a file");
        bytes = malloc(result.len + 1);
        if (bytes) {
                if (result.len > 0)
                        memcpy(bytes, result.ptr, result.len);
                bytes[result.len] = 0;
                *ret_merged = (HunksMerged){ bytes, result.len, !result.automergeable };
        }
        git_merge_file_result_free(&result);
        return bytes ? 0 : error_set(err, -ENOMEM, "merge two changes of a file");
}

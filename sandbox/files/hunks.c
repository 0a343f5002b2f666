/*
 * hunks: see hunks.h. libgit2 is loaded where a patch is written, not at the program's start: it brings ICU, Kerberos
 * and a TLS library along, and reads the host's certificates, and most jobs need none of it.
 */
#include "sandbox/files/hunks.h"

#include <dlfcn.h>
#include <errno.h>
#include <git2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"

/* The one name that libgit2 sees. */
#define NAME "f"

/* The release that the headers are of: another one may lay its structs out in another way. */
#define LIBRARY "libgit2.so." LIBGIT2_SOVERSION

typedef struct Git2 { /* what is called of it, under its own names */
        __typeof__(&git_libgit2_init) git_libgit2_init;
        __typeof__(&git_libgit2_opts) git_libgit2_opts;
        __typeof__(&git_error_last) git_error_last;
        __typeof__(&git_diff_options_init) git_diff_options_init;
        __typeof__(&git_patch_from_buffers) git_patch_from_buffers;
        __typeof__(&git_patch_to_buf) git_patch_to_buf;
        __typeof__(&git_patch_free) git_patch_free;
        __typeof__(&git_buf_dispose) git_buf_dispose;
        __typeof__(&git_merge_file) git_merge_file;
        __typeof__(&git_merge_file_result_free) git_merge_file_result_free;
} Git2;

#define ROW(NAME) \
        { #NAME, offsetof(Git2, NAME) }

static const struct {
        const char *name;
        size_t at;
} calls[] = {
        ROW(git_libgit2_init),       ROW(git_libgit2_opts),
        ROW(git_error_last),         ROW(git_diff_options_init),
        ROW(git_patch_from_buffers), ROW(git_patch_to_buf),
        ROW(git_patch_free),         ROW(git_buf_dispose),
        ROW(git_merge_file),         ROW(git_merge_file_result_free),
};

static int failed(const Git2 *git2, Error *err, int code, const char *what) {
        const git_error *last = git2->git_error_last();

        return error_say(err, code, "%s: libgit2: %s", what,
                         last ? last->message : "no reason given");
}

static int load(Git2 *git2, Error *err) {
        void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

        if (!library)
                return error_say(err, -ENOTSUP, "load " LIBRARY ", which writes patches: %s",
                                 dlerror());
        for (size_t i = 0; i < ELEMENTS(calls); i++) {
                void *call = dlsym(library, calls[i].name);

                if (!call)
                        return error_say(err, -ENOTSUP, LIBRARY " has no %s", calls[i].name);
                memcpy((char *) git2 + calls[i].at, &call, sizeof(call));
        }
        return 0;
}

static int start(Git2 *git2, Error *err) {
        static const int levels[] = { GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                      GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA };
        int r = load(git2, err);

        if (r < 0)
                return r;
        if (git2->git_libgit2_init() < 0)
                return failed(git2, err, -ENOTSUP, "start libgit2");
        for (size_t i = 0; i < ELEMENTS(levels); i++)
                if (git2->git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
                        return failed(git2, err, -ENOTSUP,
                                      "keep libgit2 from reading configuration");
        return 0;
}

/* Loaded once; the process ends with its one job. */
static int git2_get(const Git2 **ret, Error *err) {
        static Git2 git2;
        static bool is_ready;
        int r = is_ready ? 0 : start(&git2, err);

        if (r < 0)
                return r;
        is_ready = true;
        *ret = &git2;
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

static int write_piece(const Git2 *git2, const HunkBytes sides[2], bool binary, Buf *patch,
                       Error *err) {
        HunkBytes old = sides[0], new = sides[1];
        git_diff_options options;
        git_patch *made = NULL;
        git_buf text = { 0 };
        int r;

        git2->git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
        options.flags =
                GIT_DIFF_SHOW_BINARY | (binary ? GIT_DIFF_FORCE_BINARY : GIT_DIFF_FORCE_TEXT);
        if (git2->git_patch_from_buffers(&made, old.n > 0 ? old.bytes : "", old.n, NAME,
                                         new.n > 0 ? new.bytes : "", new.n, NAME, &options) < 0 ||
            git2->git_patch_to_buf(&text, made) < 0)
                r = failed(git2, err, -EIO, "compare two files");
        else
                r = keep_body(&text, binary, patch, err);
        git2->git_buf_dispose(&text);
        git2->git_patch_free(made);
        return r;
}

int hunks_make(HunkBytes old, HunkBytes new, Buf *patch, bool *ret_binary, Error *err) {
        const HunkBytes sides[] = { old, new };
        bool binary = has_zero(old) || has_zero(new);
        const Git2 *git2;
        int r = git2_get(&git2, err);

        if (r == 0)
                r = write_piece(git2, sides, binary, patch, err);
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
        const Git2 *git2;
        char *bytes;
        int r = git2_get(&git2, err);

        if (r < 0)
                return r;
        if (git2->git_merge_file(&result, &old, &one, &other, &options) < 0)
                return failed(git2, err, -EIO, "merge two changes of a file");
        bytes = malloc(result.len + 1);
        if (bytes) {
                if (result.len > 0)
                        memcpy(bytes, result.ptr, result.len);
                bytes[result.len] = 0;
                *ret_merged = (HunksMerged){ bytes, result.len, !result.automergeable };
        }
        git2->git_merge_file_result_free(&result);
        return bytes ? 0 : error_set(err, -ENOMEM, "merge two changes of a file");
}

/* hunks: see hunks.h. */
#include "sandbox/files/hunks.h"

#include <errno.h>
#include <git2.h>
#include <git2/sys/mempack.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"

/* The one name that libgit2 sees. */
#define NAME "f"

DEFINE_SCOPED(git_patch *, git_patch_free);
DEFINE_SCOPED(git_diff *, git_diff_free);
DEFINE_SCOPED(git_odb *, git_odb_free);
DEFINE_SCOPED(git_repository *, git_repository_free);
DEFINE_SCOPED(git_treebuilder *, git_treebuilder_free);
DEFINE_SCOPED(git_tree *, git_tree_free);
DEFINE_SCOPED(git_index *, git_index_free);
DEFINE_SCOPED(git_blob *, git_blob_free);

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

/* A repository of objects in memory, without a directory. */
static int open_memory(git_odb **ret_odb, git_repository **ret_repository) {
        git_odb_backend *memory = NULL;

        if (git_odb_new(ret_odb) < 0 || git_mempack_new(&memory) < 0)
                return -1;
        if (git_odb_add_backend(*ret_odb, memory, 999) < 0)
                return -1;
        return git_repository_wrap_odb(ret_repository, *ret_odb);
}

static int make_tree(git_repository *repository, HunkBytes old, git_tree **ret_tree) {
        SCOPED(git_treebuilder_free) git_treebuilder *builder = NULL;
        git_oid blob, tree;

        if (git_blob_create_from_buffer(&blob, repository, old.n > 0 ? old.bytes : "", old.n) < 0 ||
            git_treebuilder_new(&builder, repository, NULL) < 0 ||
            git_treebuilder_insert(NULL, builder, NAME, &blob, GIT_FILEMODE_BLOB) < 0 ||
            git_treebuilder_write(&tree, builder) < 0)
                return -1;
        return git_tree_lookup(ret_tree, repository, &tree);
}

/* The piece under headers that name NAME. The ids in them are not those of the content, nor are they read. */
static int make_diff(HunkBytes piece, git_diff **ret_diff) {
        static const char head[] = "diff --git a/" NAME " b/" NAME "\n"
                                   "index 1111111111111111111111111111111111111111"
                                   "..2222222222222222222222222222222222222222 100644\n";
        Buf patch = BUF_EMPTY(SIZE_MAX / 2);
        int r = buf_append(&patch, head, strlen(head));

        if (r >= 0)
                r = buf_append(&patch, piece.bytes, piece.n);
        if (r >= 0)
                r = git_diff_from_buffer(ret_diff, patch.data, patch.len);
        buf_deinit(&patch);
        return r;
}

static int copy_result(git_repository *repository, git_index *index, char **ret_bytes,
                       size_t *ret_n) {
        SCOPED(git_blob_free) git_blob *blob = NULL;
        const git_index_entry *entry = git_index_get_bypath(index, NAME, 0);
        size_t n;
        char *bytes;

        if (!entry || git_blob_lookup(&blob, repository, &entry->id) < 0)
                return -EBADMSG;
        n = (size_t) git_blob_rawsize(blob);
        bytes = malloc(n + 1);
        if (!bytes)
                return -ENOMEM;
        if (n > 0)
                memcpy(bytes, git_blob_rawcontent(blob), n);
        bytes[n] = 0;
        *ret_bytes = bytes;
        *ret_n = n;
        return 0;
}

int hunks_apply_binary(HunkBytes old, HunkBytes piece, char **ret_bytes, size_t *ret_n,
                       Error *err) {
        SCOPED(git_odb_free) git_odb *odb = NULL;
        SCOPED(git_repository_free) git_repository *repository = NULL;
        SCOPED(git_tree_free) git_tree *tree = NULL;
        SCOPED(git_diff_free) git_diff *diff = NULL;
        SCOPED(git_index_free) git_index *index = NULL;
        int r;

        if (open_memory(&odb, &repository) < 0 || make_tree(repository, old, &tree) < 0)
                return failed(err, -EIO, "hold a file in memory");
        if (make_diff(piece, &diff) < 0 || git_diff_num_deltas(diff) != 1 ||
            git_apply_to_tree(&index, repository, tree, diff, NULL) < 0)
                return failed(err, -EBADMSG, "apply a binary piece");
        r = copy_result(repository, index, ret_bytes, ret_n);
        return r < 0 ? failed(err, r, "take the result of a binary piece") : 0;
}

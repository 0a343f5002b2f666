/*
 * commit: "git ls-tree" says what is in a commit, one "git cat-file --batch" hands out the content: one
 * name down its pipe, one object back, so neither side can wait for the other for ever. Nothing is
 * checked out, no filter runs, no index is touched.
 */
#include "cli/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "cli/git.h"

#define BLOB_MAX    (512ul * 1024 * 1024)
#define NESTING_MAX 16

typedef struct Source { /* one repository: the top, or a submodule */
        Pack *pack;
        char dir[PATH_MAX];
        char prefix[PATH_MAX]; /* of its files in the archive, "" or "sub/" */
        time_t mtime;
        unsigned depth;
        GitProcess batch;
        FILE *to;
        FILE *from;
} Source;

typedef struct Item { /* a line of ls-tree */
        unsigned mode;
        char oid[COMMIT_TEXT_MAX];
        const char *path;
} Item;

static int open_batch(Source *source, Error *err) {
        static const char *const args[] = { "cat-file", "--batch", NULL };
        Git git = { .dir = source->dir };
        int down[2], up[2], r;

        if (pipe2(down, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        if (pipe2(up, O_CLOEXEC) < 0) {
                r = error_set(err, -errno, "make a pipe");
                fds_close(down, 2);
                return r;
        }
        r = git_start(&git, args, (const int[2]){ down[0], up[1] }, &source->batch, err);
        (void) close(down[0]);
        (void) close(up[1]);
        source->to = fdopen(down[1], "w");
        source->from = fdopen(up[0], "r");
        if (r == 0 && (!source->to || !source->from))
                r = error_set(err, -ENOMEM, "talk to git");
        return r;
}

static int close_batch(Source *source, Error *err) {
        if (source->to)
                (void) fclose(source->to);
        if (source->from)
                (void) fclose(source->from);
        source->to = source->from = NULL;
        return source->batch.pid > 0 ? git_finish(&source->batch, err) : 0;
}

static int fetch_blob(Source *source, const Item *item, char **ret_bytes, size_t *ret_n,
                      Error *err) {
        char line[160], type[16];
        unsigned long size = 0;
        autofree char *bytes = NULL;

        if (fprintf(source->to, "%s\n", item->oid) < 0 || fflush(source->to) != 0 ||
            !fgets(line, sizeof(line), source->from) ||
            sscanf(line, "%*s %15s %lu", type, &size) != 2 || strcmp(type, "blob") != 0)
                return error_say(err, -EIO, "git cannot read %s (%s).", item->path, item->oid);
        if (size > BLOB_MAX)
                return error_say(err, -EFBIG, "%s is larger than %lu bytes.", item->path, BLOB_MAX);
        bytes = malloc(size + 1);
        if (!bytes)
                return error_set(err, -ENOMEM, "read %s", item->path);
        if (fread(bytes, 1, size + 1, source->from) != size + 1) /* a newline follows */
                return error_say(err, -EIO, "git cannot read %s (%s).", item->path, item->oid);
        bytes[size] = 0;
        *ret_bytes = TAKE_PTR(bytes);
        *ret_n = size;
        return 0;
}

static int pack_source(Source *source, const char *commit, Error *err);

static int pack_submodule(Source *source, const Item *item, Error *err) {
        autofree Source *inner = calloc(1, sizeof(*inner));
        char marker[PATH_MAX];

        if (!inner)
                return error_set(err, -ENOMEM, "pack %s", item->path);
        inner->pack = source->pack;
        inner->mtime = source->mtime;
        inner->depth = source->depth + 1;
        if (inner->depth > NESTING_MAX ||
            snprintf(inner->dir, sizeof(inner->dir), "%s/%s", source->dir, item->path) >=
                    (int) sizeof(inner->dir) ||
            snprintf(inner->prefix, sizeof(inner->prefix), "%s%s/", source->prefix, item->path) >=
                    (int) sizeof(inner->prefix) ||
            snprintf(marker, sizeof(marker), "%s/.git", inner->dir) >= (int) sizeof(marker))
                return error_say(err, -ENAMETOOLONG, "%.200s: nested too deep.", item->path);
        if (access(marker, F_OK) < 0) { /* not checked out: an empty directory, as in the tree */
                PackBytes entry = { .mode = S_IFDIR | 0755, .mtime = source->mtime };

                inner->prefix[strlen(inner->prefix) - 1] = 0;
                entry.name = inner->prefix;
                return pack_bytes(source->pack, &entry, err);
        }
        return pack_source(inner, item->oid, err);
}

static int pack_item(Source *source, const Item *item, Error *err) {
        autofree char *bytes = NULL;
        char name[PATH_MAX];
        PackBytes entry = { .name = name, .mtime = source->mtime };
        int r;

        if ((item->mode & S_IFMT) == 0160000)
                return pack_submodule(source, item, err);
        if (snprintf(name, sizeof(name), "%s%s", source->prefix, item->path) >= (int) sizeof(name))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", item->path);
        entry.mode = S_ISLNK(item->mode) ? S_IFLNK | 0777u
                                         : S_IFREG | (item->mode & 0100 ? 0755u : 0644u);
        r = fetch_blob(source, item, &bytes, &entry.n, err);
        if (r < 0)
                return r;
        entry.bytes = bytes;
        return pack_bytes(source->pack, &entry, err);
}

/* "100644 blob OID\tPATH" */
static int parse_item(const char *line, Item *ret, Error *err) {
        const char *tab = strchr(line, '\t');

        if (!tab || sscanf(line, "%o %*s %71s", &ret->mode, ret->oid) != 2)
                return error_say(err, -EIO, "git ls-tree gives a line that is none: %.100s", line);
        ret->path = tab + 1;
        return 0;
}

static int pack_items(Source *source, const char *list, size_t n, Error *err) {
        int r = 0;

        for (size_t at = 0; r == 0 && at < n; at += strlen(list + at) + 1) {
                Item item;

                r = parse_item(list + at, &item, err);
                if (r == 0)
                        r = pack_item(source, &item, err);
        }
        return r;
}

static int pack_source(Source *source, const char *commit, Error *err) {
        const char *args[] = { "ls-tree", "-r", "-z", "--full-tree", commit, NULL };
        Git git = { .dir = source->dir };
        autofree char *list = NULL;
        size_t n = 0;
        Error ignored;
        int r = git_read(&git, args, &list, &n, err);

        if (r < 0)
                return error_add(err, r, "commit %.12s of %s", commit, source->dir);
        r = open_batch(source, err);
        if (r == 0)
                r = pack_items(source, list, n, err);
        if (r < 0) { /* git's own end says less than what went wrong here */
                (void) close_batch(source, &ignored);
                return r;
        }
        return close_batch(source, err);
}

int commit_pack(Pack *pack, const Repository *repo, Error *err) {
        autofree Source *source = calloc(1, sizeof(*source));

        if (!source)
                return error_set(err, -ENOMEM, "pack the commit");
        source->pack = pack;
        source->mtime = repo->commit_time;
        snprintf(source->dir, sizeof(source->dir), "%s", repo->top);
        return pack_source(source, repo->commit, err);
}

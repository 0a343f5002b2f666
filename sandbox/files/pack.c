/* pack: see pack.h. */
#include "sandbox/files/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/spans.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/pack-xattrs.h"
#include "sandbox/files/save-xattrs.h"
#include "sandbox/files/tar-write.h"

#define CHUNK      (256u << 10)
#define TEXTS_MAX  (4u << 20)
#define INODES_MAX 4000000u
#define WHITEOUT   ".wh."
#define OPAQUE     ".wh..wh..opq"

typedef struct Pack {
        const PackJob *job; /* borrowed */
        Report *report;     /* likewise */
        TarWriter tar;
        Table *inodes; /* owned: files with several names, "DEV:INO"; same is of the first one */
        Table *names;  /* owned: those names */
        PackXattrs *xattrs; /* owned */
        char *chunk;        /* owned */
        uint64_t entries;
        char path[NAME_PATH_MAX];
} Pack;

static int put_entry(Pack *pack, TarEntry *entry, const struct stat *st, Error *err) {
        entry->mode = st->st_mode & 01777;
        entry->uid = st->st_uid;
        entry->gid = st->st_gid;
        entry->sec = st->st_mtim.tv_sec < 0 ? 0 : st->st_mtim.tv_sec;
        entry->nsec = st->st_mtim.tv_sec < 0 ? 0 : (uint32_t) st->st_mtim.tv_nsec;
        return tar_entry(&pack->tar, entry, err);
}

/* ---- files --------------------------------------------------------------------------------------- */

static int put_data(Pack *pack, int fd, uint64_t at, uint64_t n, Error *err) {
        int r = 0;

        while (r >= 0 && n > 0) {
                ssize_t got = pread(fd, pack->chunk, n < CHUNK ? n : CHUNK, (off_t) at);

                if (got <= 0)
                        return error_set(err, got < 0 ? -errno : -EIO, "read a file of the tree");
                r = tar_data(&pack->tar, pack->chunk, (uint64_t) got, err);
                at += (uint64_t) got;
                n -= (uint64_t) got;
                if (r >= 0)
                        r = report_progress(pack->report, pack->tar.bytes, pack->entries);
        }
        return r;
}

/* A hole is the zeroes that it is read as */
static int put_content(Pack *pack, int fd, uint64_t size, Error *err) {
        Span span;
        uint64_t at = 0;
        int r = 0;

        while (r >= 0 && span_next(fd, at, size, &span)) {
                r = tar_data(&pack->tar, NULL, span.at - at, err);
                if (r >= 0)
                        r = put_data(pack, fd, span.at, span.end - span.at, err);
                at = span.end;
        }
        if (r >= 0)
                r = tar_data(&pack->tar, NULL, size - at, err);
        return r < 0 ? r : tar_pad(&pack->tar, size, err);
}

/* Was the file packed by another name? Returns: 1, @ret_first is that; 0, remembered from now on; negative errno */
static int find_first(Pack *pack, const struct stat *st, const char **ret_first, Error *err) {
        const EntryMeta meta = { .kind = ENTRY_FILE };
        Entry *known, *name = NULL;
        char inode[64];
        int r;

        if (st->st_nlink < 2)
                return 0;
        (void) snprintf(inode, sizeof(inode), "%llx:%llx", (unsigned long long) st->st_dev,
                        (unsigned long long) st->st_ino);
        known = table_find(pack->inodes, inode);
        if (known) {
                *ret_first = known->same->path;
                return 1;
        }
        r = table_add(pack->names, pack->path, &meta, &name);
        if (r >= 0)
                r = table_add(pack->inodes, inode, &meta, &known);
        if (r < 0)
                return error_set(err, r, "remember a file with several names");
        known->same = name;
        return 0;
}

static int pack_file(Pack *pack, int parent, const char *name, const struct stat *st, Error *err) {
        autoclose int fd = beneath_open(parent, name, O_RDONLY | O_NONBLOCK, 0);
        TarEntry entry = { .kind = TAR_FILE, .path = pack->path, .size = (uint64_t) st->st_size };
        int r = fd < 0 ? error_set(err, fd, "open a file of the tree")
                       : pack_xattrs_read(pack->xattrs, fd, &entry, pack->report, err);

        if (r >= 0)
                r = put_entry(pack, &entry, st, err);
        return r < 0 ? r : put_content(pack, fd, entry.size, err);
}

static int pack_link(Pack *pack, int parent, const char *name, const struct stat *st, Error *err) {
        char target[NAME_PATH_MAX];
        TarEntry entry = { .kind = TAR_LINK, .path = pack->path, .link = target };
        int r = beneath_read_link(parent, name, target);

        return r < 0 ? error_set(err, r, "read a link of the tree")
                     : put_entry(pack, &entry, st, err);
}

/* ---- marks --------------------------------------------------------------------------------------- */

/* A file without content whose name says all: @prefix before the last component, or a name of its own in a directory */
static int put_mark(Pack *pack, const char *dir, const char *prefix, const char *name, Error *err) {
        static const struct stat none = { .st_mode = S_IFREG };
        autofree char *path = NULL;
        TarEntry entry = { .kind = TAR_FILE };

        if (asprintf(&path, "%s%s%s%s", dir, *dir ? "/" : "", prefix, name) < 0)
                return error_set(err, -ENOMEM, "write a whiteout");
        entry.path = path;
        return put_entry(pack, &entry, &none, err);
}

static int pack_whiteout(Pack *pack, size_t parent, const char *name, Error *err) {
        char dir[NAME_PATH_MAX];

        memcpy(dir, pack->path, parent);
        dir[parent] = 0;
        return put_mark(pack, dir, WHITEOUT, name, err);
}

/* ---- the walk ------------------------------------------------------------------------------------ */

static int pack_dir(Pack *pack, int dir, unsigned depth, Error *err);

/* @parent: bytes of the path before the name */
static int pack_node(Pack *pack, int dir, const char *name, size_t parent, unsigned depth,
                     Error *err) {
        autoclose int below = -EBADF;
        TarEntry again = { .kind = TAR_HARD_LINK, .path = pack->path };
        struct stat st;
        int r;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "look at an object of the tree");
        if (S_ISDIR(st.st_mode)) {
                below = beneath_dir(dir, name);
                return below < 0 ? error_set(err, below, "open a directory of the tree")
                                 : pack_dir(pack, below, depth + 1, err);
        }
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
                return pack->job->layer ? pack_whiteout(pack, parent, name, err) : 0;
        if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
                return report_note(pack->report, RULE_SPECIAL_FILE, pack->path,
                                   "a device, a fifo or a socket: it was left out");
        r = find_first(pack, &st, &again.link, err);
        if (r != 0)
                return r < 0 ? r : put_entry(pack, &again, &st, err);
        return S_ISREG(st.st_mode) ? pack_file(pack, dir, name, &st, err)
                                   : pack_link(pack, dir, name, &st, err);
}

static int pack_item(Pack *pack, int dir, const char *name, unsigned depth, Error *err) {
        RecordRule rule = depth >= NAME_DEPTH_MAX ? RULE_NAME_DEPTH : RULE_NONE;
        size_t n = strlen(pack->path);
        int r;

        if (rule == RULE_NONE && !name_join(pack->path, pack->path, name))
                rule = RULE_NAME_LONG;
        if (rule != RULE_NONE)
                return report_refuse(pack->report, rule, pack->path, "%s", name_sentence(rule));
        pack->entries++;
        r = report_progress(pack->report, pack->tar.bytes, pack->entries);
        if (r >= 0 && pack->job->layer && strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
                r = report_note(pack->report, RULE_WHITEOUT_NAME, pack->path,
                                "a name that marks a deletion in image layers was left out");
        else if (r >= 0)
                r = pack_node(pack, dir, name, n, depth, err);
        pack->path[n] = 0;
        return r;
}

static int put_dir(Pack *pack, int dir, Error *err) {
        TarEntry entry = { .kind = TAR_DIR, .path = *pack->path ? pack->path : "." };
        SaveMarks marks = { 0 };
        struct stat st;
        int r = 0;

        if (fstat(dir, &st) < 0)
                return error_set(err, -errno, "look at a directory of the tree");
        if (pack->job->layer && *pack->path && (r = save_marks(dir, &marks)) < 0)
                return error_set(err, r, "read the overlay's marks");
        r = pack_xattrs_read(pack->xattrs, dir, &entry, pack->report, err);
        if (r >= 0)
                r = put_entry(pack, &entry, &st, err);
        return r < 0 || !marks.opaque ? r : put_mark(pack, pack->path, "", OPAQUE, err);
}

static int pack_dir(Pack *pack, int dir, unsigned depth, Error *err) {
        SCOPED(listing_free) Listing *items = NULL;
        int r = put_dir(pack, dir, err);

        if (r < 0)
                return r;
        r = listing_new(dir, &items);
        if (r < 0)
                return error_set(err, r, "list a directory of the tree");
        for (unsigned i = 0; r >= 0 && i < items->n; i++)
                r = pack_item(pack, dir, items->items[i].name, depth, err);
        return r;
}

/* ---- one of them --------------------------------------------------------------------------------- */

/* In the archive of an image the layer is a file, whose content the layer's own archive is */
static int begin_blob(const PackJob *job, Error *err) {
        const TarEntry entry = {
                .kind = TAR_FILE, .path = job->blob, .mode = 0644, .size = job->size
        };
        TarWriter outer = { 0 };
        int r = tar_init(&outer, job->out, false, err);

        if (r >= 0)
                r = tar_entry(&outer, &entry, err);
        if (r >= 0)
                r = tar_flush(&outer, err);
        tar_deinit(&outer);
        return r;
}

static int finish(Pack *pack, Error *err) {
        const PackJob *job = pack->job;
        uint8_t digest[DIGEST_SIZE];
        int r = tar_end(&pack->tar, err);

        if (r < 0)
                return r;
        if (pack->tar.digest)
                digest_end(pack->tar.digest, digest);
        if (job->digest &&
            (job->size != pack->tar.bytes || memcmp(job->digest, digest, DIGEST_SIZE) != 0))
                return error_say(err, -EIO, "a layer is not what it was a moment ago");
        r = pack->tar.digest ? report_digest(pack->report, DIGEST_LAYER, digest) : 0;
        return r < 0 ? r
                     : report_numbers(pack->report, RECORD_TOTALS, pack->tar.bytes, pack->entries);
}

static int init(Pack *pack, Error *err) {
        int r = tar_init(&pack->tar, pack->job->out, pack->job->layer, err);

        if (r < 0)
                return r;
        pack->chunk = malloc(CHUNK);
        pack->xattrs = pack_xattrs_new();
        if (!pack->chunk || !pack->xattrs || table_new(INODES_MAX, &pack->inodes) < 0 ||
            table_new(INODES_MAX, &pack->names) < 0)
                return error_set(err, -ENOMEM, "start to pack");
        return 0;
}

int pack_run(const PackJob *job, Report *report, Error *err) {
        autofree Pack *pack = calloc(1, sizeof(*pack));
        int r;

        if (!pack)
                return error_set(err, -ENOMEM, "start to pack");
        pack->job = job;
        pack->report = report;
        r = job->blob ? begin_blob(job, err) : 0;
        if (r >= 0)
                r = init(pack, err);
        if (r >= 0)
                r = pack_dir(pack, job->tree, 0, err);
        if (r >= 0)
                r = finish(pack, err);
        tar_deinit(&pack->tar);
        table_free(pack->inodes);
        table_free(pack->names);
        pack_xattrs_free(pack->xattrs);
        free(pack->chunk);
        return r;
}

/* ---- the end of an image ------------------------------------------------------------------------- */

/* "PATH SIZE", and the bytes behind it. Returns: what is left of @text; NULL: it is none of that */
static char *take_text(char *text, const char *end, TarEntry *entry) {
        char *line = memchr(text, '\n', (size_t) (end - text));
        char *blank = line ? memchr(text, ' ', (size_t) (line - text)) : NULL;
        char *rest = NULL;

        if (!blank)
                return NULL;
        *blank = *line = 0;
        *entry = (TarEntry){ .kind = TAR_FILE, .path = text, .mode = 0644 };
        entry->size = strtoull(blank + 1, &rest, 10);
        return rest == line && entry->size <= (uint64_t) (end - line - 1) ? line + 1 : NULL;
}

int pack_tail(int in, int out, Error *err) {
        autofree char *texts = NULL;
        TarWriter tar = { 0 };
        size_t n = 0;
        int r = fd_read_all(in, TEXTS_MAX, &texts, &n);

        r = r < 0 ? error_set(err, r, "read the texts of the image")
                  : tar_init(&tar, out, false, err);
        for (char *at = texts; r >= 0 && at < texts + n;) {
                TarEntry entry;

                at = take_text(at, texts + n, &entry);
                if (!at)
                        r = error_say(err, -EINVAL,
                                      "the texts of the image are not as they should be");
                if (r >= 0)
                        r = tar_entry(&tar, &entry, err);
                if (r >= 0)
                        r = tar_data(&tar, at, entry.size, err);
                if (r >= 0)
                        r = tar_pad(&tar, entry.size, err);
                at = at ? at + entry.size : NULL;
        }
        if (r >= 0)
                r = tar_end(&tar, err);
        tar_deinit(&tar);
        return r;
}

/* fingerprint: see fingerprint.h. */
#include "sandbox/files/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fds.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/hasher.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

#define CHUNK       (128u << 10)
#define ENTRIES_MAX 5000000u
#define MODE_SIZE   7  /* "100644 " */
#define HEX_SIZE    66 /* NUL, 64 digits, LF */

typedef struct Walk {
        Hasher *hasher; /* owned */
        Table *table;   /* owned */
        char *chunk;    /* owned */
        char path[NAME_PATH_MAX];
} Walk;

static int hash_file(Walk *walk, int dir, const char *name, uint8_t *value) {
        autoclose int fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        struct stat st;
        ssize_t n = 0;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return fd < 0 ? fd : -errno;
        r = hasher_begin(walk->hasher, HASHER_PLAIN, (uint64_t) st.st_size, value);
        if (r < 0)
                return r;
        do {
                n = read(fd, walk->chunk, CHUNK);
                if (n > 0)
                        hasher_add(walk->hasher, walk->chunk, (size_t) n);
        } while (n > 0 || (n < 0 && errno == EINTR));
        hasher_end(walk->hasher);
        return n < 0 ? -errno : 0;
}

static int hash_link(int dir, const char *name, uint8_t *value) {
        char target[NAME_PATH_MAX];
        int n = beneath_read_link(dir, name, target);

        if (n < 0)
                return n;
        digest_of(target, (size_t) n, value);
        return 0;
}

static int take_item(Walk *walk, int dir, const char *name) {
        EntryMeta meta = { .kind = ENTRY_FILE };
        Entry *entry = NULL;
        struct stat st;
        unsigned mode;
        int r;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        mode = side_mode(&st);
        if (mode == 0)
                return 0;
        meta.mode = (uint16_t) mode;
        r = table_add(walk->table, walk->path, &meta, &entry);
        if (r < 0)
                return r;
        return mode == PATCH_MODE_LINK ? hash_link(dir, name, entry->digest)
                                       : hash_file(walk, dir, name, entry->digest);
}

static int take_dir(Walk *walk, int dir, unsigned depth) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(walk->path);
        int r = depth > NAME_DEPTH_MAX ? -ENAMETOOLONG : listing_new(dir, &list);
        unsigned i;

        for (i = 0; r >= 0 && i < list->n; i++) {
                const ListingItem *item = &list->items[i];
                autoclose int below = -EBADF;

                if (strcasecmp(item->name, ".git") == 0)
                        continue;
                walk->path[n] = 0;
                if (!name_join(walk->path, walk->path, item->name))
                        return -ENAMETOOLONG;
                if (item->is_dir) {
                        below = beneath_dir(dir, item->name);
                        r = below < 0 ? below : take_dir(walk, below, depth + 1);
                } else {
                        r = take_item(walk, dir, item->name);
                }
        }
        walk->path[n] = 0;
        return r;
}

/* Where the lines of a listing go: to a digest, to a file, or to both. */
typedef struct Lines {
        Digest *digest; /* owned; NULL: none */
        Buf buf;        /* owned; not used without @out */
        int out;        /* borrowed; negative: none */
        uint64_t bytes;
} Lines;

static int flush(Lines *lines) {
        int r = lines->buf.len > 0 ? fd_write_all(lines->out, lines->buf.data, lines->buf.len) : 0;

        buf_drop(&lines->buf, lines->buf.len);
        return r;
}

static int add_line(Lines *lines, const Entry *entry) {
        char line[sizeof("100644 ") + NAME_PATH_MAX + DIGEST_TEXT_MAX + 2], hex[DIGEST_TEXT_MAX];
        int n;

        (void) digest_format(entry->digest, hex);
        n = snprintf(line, sizeof(line), "%06o %s%c%s\n", (unsigned) entry->meta.mode, entry->path,
                     0, strchr(hex, ':') + 1);
        lines->bytes += (unsigned) n;
        if (lines->digest)
                digest_add(lines->digest, line, (size_t) n);
        if (lines->out < 0)
                return 0;
        if (lines->bytes > FINGERPRINT_LISTING_MAX)
                return -EFBIG;
        if (lines->buf.len + (size_t) n > CHUNK && flush(lines) < 0)
                return -EIO;
        return buf_append(&lines->buf, line, (size_t) n);
}

static int add_lines(Walk *walk, Lines *lines) {
        autofree Entry **entries = NULL;
        uint64_t i, n = table_count(walk->table);
        int r = table_sorted(walk->table, &entries);

        hasher_finish(walk->hasher);
        for (i = 0; i < n && r >= 0; i++)
                r = add_line(lines, entries[i]);
        return r < 0 || lines->out < 0 ? r : flush(lines);
}

static Walk *walk_free(Walk *walk) {
        if (!walk)
                return NULL;
        free(walk->chunk);
        hasher_free(walk->hasher);
        table_free(walk->table);
        free(walk);
        return NULL;
}
DEFINE_SCOPED(Walk *, walk_free);

static int walk_new(unsigned workers, Walk **ret) {
        SCOPED(walk_free) Walk *walk = calloc(1, sizeof(*walk));
        int r = walk ? hasher_new(workers, &walk->hasher) : -ENOMEM;

        if (r >= 0)
                r = table_new(ENTRIES_MAX, &walk->table);
        if (r >= 0 && !(walk->chunk = malloc(CHUNK)))
                r = -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(walk);
        return 0;
}

static int take_tree(int dir, Lines *lines) {
        SCOPED(walk_free) Walk *walk = NULL;
        int r = walk_new(hasher_workers(), &walk);

        if (r >= 0)
                r = take_dir(walk, dir, 0);
        return r < 0 ? r : add_lines(walk, lines);
}

int fingerprint_tree(int dir, uint8_t *ret_value, Error *err) {
        Lines lines = { .out = -EBADF };
        int r = digest_new(&lines.digest);

        if (r >= 0)
                r = take_tree(dir, &lines);
        if (r >= 0)
                digest_end(lines.digest, ret_value);
        digest_free(lines.digest);
        return r < 0 ? error_set(err, r, "take the digest of the tree") : 0;
}

int fingerprint_list(int dir, int out, Error *err) {
        Lines lines = { .out = out, .buf = BUF_EMPTY(CHUNK) };
        int r = take_tree(dir, &lines);

        buf_deinit(&lines.buf);
        return r < 0 ? error_set(err, r, "list the tree") : 0;
}

/* ---- a tree of which most is listed -------------------------------------------------------------- */

typedef struct Listed { /* a listing, and how far it was taken */
        const char *at;
        const char *end;
        const char *from; /* lines from here to @at are as they were, and not yet in the digest */
} Listed;

/* Past the line at listed->at. Returns: its path, NULL where it is no line */
static const char *take_line(Listed *listed) {
        const char *path = listed->at + MODE_SIZE;
        const char *nul;

        if (listed->end - listed->at < MODE_SIZE || path[-1] != ' ')
                return NULL;
        nul = memchr(path, 0, (size_t) (listed->end - path));
        if (!nul || listed->end - nul < HEX_SIZE || nul[HEX_SIZE - 1] != '\n')
                return NULL;
        listed->at = nul + HEX_SIZE;
        return path;
}

static void add_listed(Lines *lines, Listed *listed, const char *until) {
        digest_add(lines->digest, listed->from, (size_t) (until - listed->from));
        listed->from = listed->at;
}

/* Lines before @path go as they are; the one of @path is left out. @path NULL: all that are left. */
static int take_lines(Lines *lines, Listed *listed, const char *path) {
        while (listed->at < listed->end) {
                const char *line = listed->at;
                const char *name = take_line(listed);
                int order = !name ? 0 : path ? strcmp(name, path) : -1;

                if (!name)
                        return -EBADMSG;
                if (order < 0)
                        continue;
                if (order > 0)
                        listed->at = line; /* for the next path */
                add_listed(lines, listed, line);
                return 0;
        }
        add_listed(lines, listed, listed->at);
        return 0;
}

static int merge_lines(const Walk *walk, Lines *lines, Listed *listed) {
        autofree Entry **entries = NULL;
        uint64_t i, n = table_count(walk->table);
        int r = table_sorted(walk->table, &entries);

        for (i = 0; i < n && r >= 0; i++) {
                r = take_lines(lines, listed, entries[i]->path);
                if (r >= 0 && entries[i]->meta.mode != 0)
                        r = add_line(lines, entries[i]);
        }
        return r < 0 ? r : take_lines(lines, listed, NULL);
}

/* What is at one path now; mode 0: nothing that has a line. */
static int take_path(Walk *walk, int dir, const char *path) {
        EntryMeta meta = { .kind = ENTRY_FILE };
        Entry *entry = NULL;
        struct stat st;
        int r;

        if (table_find(walk->table, path))
                return 0;
        r = beneath_stat(dir, path, &st);
        if (r < 0 && r != -ENOENT)
                return r;
        meta.mode = (uint16_t) (r < 0 ? 0 : side_mode(&st));
        r = table_add(walk->table, path, &meta, &entry);
        if (r < 0 || meta.mode == 0)
                return r;
        return meta.mode == PATCH_MODE_LINK ? hash_link(dir, path, entry->digest)
                                            : hash_file(walk, dir, path, entry->digest);
}

static int merge_paths(int dir, const char *const *paths, unsigned n, Lines *lines,
                       Listed *listed) {
        SCOPED(walk_free) Walk *walk = NULL;
        int r = walk_new(0, &walk); /* threads would cost more than a few files take */

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = take_path(walk, dir, paths[i]);
        if (r < 0)
                return r;
        hasher_finish(walk->hasher);
        return merge_lines(walk, lines, listed);
}

int fingerprint_changed(int dir, int listing, const char *const *paths, unsigned n,
                        uint8_t *ret_value, Error *err) {
        Lines lines = { .out = -EBADF };
        Listed listed = { 0 };
        struct stat st;
        void *text = NULL;
        int r = digest_new(&lines.digest);

        if (r >= 0 && fstat(listing, &st) < 0)
                r = -errno;
        if (r >= 0 && st.st_size > 0) {
                text = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, listing, 0);
                r = text == MAP_FAILED ? -errno : 0;
        }
        if (r >= 0 && text) {
                listed.at = listed.from = text;
                listed.end = listed.at + st.st_size;
        }
        if (r >= 0)
                r = merge_paths(dir, paths, n, &lines, &listed);
        if (r >= 0)
                digest_end(lines.digest, ret_value);
        if (text && text != MAP_FAILED)
                (void) munmap(text, (size_t) st.st_size);
        digest_free(lines.digest);
        return r < 0 ? error_set(err, r, "take the digest of the tree") : 0;
}

/* fingerprint: see fingerprint.h. */
#include "sandbox/files/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "sandbox/files/beneath.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/hasher.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

#define CHUNK       (128u << 10)
#define ENTRIES_MAX 5000000u

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

static int sum_up(Walk *walk, uint8_t *ret_value) {
        SCOPED(digest_free) Digest *digest = NULL;
        autofree Entry **entries = NULL;
        char text[DIGEST_TEXT_MAX], mode[16];
        uint64_t i;
        int r = digest_new(&digest);

        if (r >= 0)
                r = table_sorted(walk->table, &entries);
        if (r < 0)
                return r;
        hasher_finish(walk->hasher);
        for (i = 0; i < table_count(walk->table); i++) {
                const char *hex = strchr(digest_format(entries[i]->digest, text), ':') + 1;

                snprintf(mode, sizeof(mode), "%06o ", (unsigned) entries[i]->meta.mode);
                digest_add(digest, mode, strlen(mode));
                digest_add(digest, entries[i]->path, strlen(entries[i]->path) + 1);
                digest_add(digest, hex, strlen(hex));
                digest_add(digest, "\n", 1);
        }
        digest_end(digest, ret_value);
        return 0;
}

int fingerprint_tree(int dir, uint8_t *ret_value, Error *err) {
        autofree Walk *walk = calloc(1, sizeof(*walk));
        int r = walk ? hasher_new(hasher_workers(), &walk->hasher) : -ENOMEM;

        if (r >= 0)
                r = table_new(ENTRIES_MAX, &walk->table);
        if (r >= 0) {
                walk->chunk = malloc(CHUNK);
                r = walk->chunk ? take_dir(walk, dir, 0) : -ENOMEM;
        }
        if (r >= 0)
                r = sum_up(walk, ret_value);
        if (walk) {
                free(walk->chunk);
                hasher_free(walk->hasher);
                table_free(walk->table);
        }
        return r < 0 ? error_set(err, r, "take the digest of the tree") : 0;
}

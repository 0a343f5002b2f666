/* entry: see entry.h. Entries live in chunks that never move and are released together. */
#include "sandbox/files/entry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "sandbox/files/listing.h"

#define CHUNK_SIZE    (1u << 20)
#define BYTES_MAX     (512ull << 20) /* of all entries: names from outside cannot take more memory */
#define BUCKETS_FIRST 4096u

typedef struct Chunk {
        struct Chunk *next;
        size_t used;
        char bytes[] __attribute__((aligned(8)));
} Chunk;

struct Table {
        Chunk *chunks;    /* owned, newest first */
        Entry **buckets;  /* owned array */
        size_t n_buckets; /* a power of two */
        uint64_t n;
        uint64_t n_max;
        uint64_t bytes;
        uint64_t key[2]; /* nobody can choose names that fall into one bucket */
};

static void mix(uint64_t v[4]) {
        v[0] += v[1];
        v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
        v[0] = v[0] << 32 | v[0] >> 32;
        v[2] += v[3];
        v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
        v[0] += v[3];
        v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
        v[2] += v[1];
        v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
        v[2] = v[2] << 32 | v[2] >> 32;
}

static void take_word(uint64_t v[4], uint64_t word) {
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
}

/* SipHash-1-3: who does not know the key cannot make a long chain. */
static uint64_t hash_path(const uint64_t key[2], const char *path) {
        uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                          key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
        size_t n = strlen(path), left = n;
        uint64_t word;

        for (; left >= sizeof(word); left -= sizeof(word), path += sizeof(word)) {
                memcpy(&word, path, sizeof(word));
                take_word(v, word);
        }
        word = (uint64_t) n << 56;
        memcpy(&word, path, left);
        take_word(v, word);
        v[2] ^= 0xff;
        mix(v);
        mix(v);
        mix(v);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int table_new(uint64_t max_entries, Table **ret_table) {
        SCOPED(table_free) Table *table = calloc(1, sizeof(*table));

        if (!table)
                return -ENOMEM;
        if (getrandom(table->key, sizeof(table->key), 0) != (ssize_t) sizeof(table->key))
                return -EIO;
        table->n_max = max_entries;
        table->n_buckets = BUCKETS_FIRST;
        table->buckets = calloc(table->n_buckets, sizeof(Entry *));
        if (!table->buckets)
                return -ENOMEM;
        *ret_table = TAKE_PTR(table);
        return 0;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        while (table->chunks) {
                Chunk *chunk = table->chunks;

                table->chunks = chunk->next;
                free(chunk);
        }
        free(table->buckets);
        free(table);
        return NULL;
}

Entry *table_find(const Table *table, const char *path) {
        Entry *entry = table->buckets[hash_path(table->key, path) & (table->n_buckets - 1)];

        while (entry && strcmp(entry->path, path) != 0)
                entry = entry->next;
        return entry;
}

static Entry *take_room(Table *table, size_t need) {
        Chunk *chunk = table->chunks;
        Entry *entry;

        need = (need + 7) & ~(size_t) 7;
        if (!chunk || chunk->used + need > CHUNK_SIZE) {
                chunk = malloc(sizeof(*chunk) + CHUNK_SIZE);
                if (!chunk)
                        return NULL;
                chunk->used = 0;
                chunk->next = table->chunks;
                table->chunks = chunk;
        }
        entry = (void *) (chunk->bytes + chunk->used);
        chunk->used += need;
        table->bytes += need;
        return entry;
}

static void link_entry(const Table *table, Entry **buckets, size_t n_buckets, Entry *entry) {
        Entry **bucket = &buckets[hash_path(table->key, entry->path) & (n_buckets - 1)];

        entry->next = *bucket;
        *bucket = entry;
}

static int grow(Table *table) {
        size_t n = table->n_buckets * 4, i;
        Entry **buckets = calloc(n, sizeof(Entry *));

        if (!buckets)
                return -ENOMEM;
        for (i = 0; i < table->n_buckets; i++)
                while (table->buckets[i]) {
                        Entry *entry = table->buckets[i];

                        table->buckets[i] = entry->next;
                        link_entry(table, buckets, n, entry);
                }
        free(table->buckets);
        table->buckets = buckets;
        table->n_buckets = n;
        return 0;
}

int table_add(Table *table, const char *path, const EntryMeta *meta, Entry **ret_entry) {
        size_t n = strlen(path) + 1;
        Entry *entry;

        if (table->n >= table->n_max || table->bytes > BYTES_MAX)
                return -E2BIG;
        if (table->n >= table->n_buckets && grow(table) < 0)
                return -ENOMEM;
        entry = take_room(table, sizeof(*entry) + n);
        if (!entry)
                return -ENOMEM;
        *entry = (Entry){ .meta = *meta };
        memcpy(entry->path, path, n);
        link_entry(table, table->buckets, table->n_buckets, entry);
        table->n++;
        *ret_entry = entry;
        return 0;
}

int table_replace(Table *table, const Entry *old, const EntryMeta *meta, Entry **ret_entry) {
        Entry **at;

        at = &table->buckets[hash_path(table->key, old->path) & (table->n_buckets - 1)];
        while (*at != old)
                at = &(*at)->next;
        *at = old->next;
        table->n--;
        return table_add(table, old->path, meta, ret_entry);
}

uint64_t table_count(const Table *table) {
        return table->n;
}

static int compare_entries(const void *a, const void *b) {
        const Entry *x = *(Entry *const *) a, *y = *(Entry *const *) b;

        return listing_compare(x->path, x->meta.kind == ENTRY_DIR, y->path,
                               y->meta.kind == ENTRY_DIR);
}

int table_sorted(const Table *table, Entry ***ret_entries) {
        Entry **entries = calloc(table->n + 1, sizeof(Entry *));
        uint64_t n = 0;
        size_t i;

        if (!entries)
                return -ENOMEM;
        for (i = 0; i < table->n_buckets; i++) {
                Entry *entry = table->buckets[i];

                for (; entry; entry = entry->next)
                        entries[n++] = entry;
        }
        qsort(entries, n, sizeof(Entry *), compare_entries);
        *ret_entries = entries;
        return 0;
}

int entry_add_xattr(Entry *entry, const char *name, const void *value, size_t size) {
        SCOPED(digest_free) Digest *digest = NULL;
        int r = digest_new(&digest);

        if (r < 0)
                return r;
        digest_add(digest, entry->xattrs, DIGEST_SIZE);
        digest_add(digest, name, strlen(name) + 1);
        digest_add(digest, value, size);
        digest_end(digest, entry->xattrs);
        entry->meta.flags |= ENTRY_XATTRS;
        return 0;
}

void manifest_add(Digest *digest, const Entry *entry) {
        const Entry *content = entry->same ? entry->same : entry;
        const EntryMeta *meta = &entry->meta;
        uint8_t both[2 * DIGEST_SIZE], value[DIGEST_SIZE];
        bool opaque = meta->kind == ENTRY_DIR && (meta->flags & ENTRY_OPAQUE);
        char line[160];
        int n = snprintf(line, sizeof(line), "%c %o %u %u %lld.%09u %llu ",
                         opaque ? 'o' : meta->kind, (unsigned) meta->mode, meta->uid, meta->gid,
                         (long long) meta->sec, meta->nsec, (unsigned long long) meta->size);

        memcpy(value, content->digest, DIGEST_SIZE);
        if (content->meta.flags & ENTRY_XATTRS) {
                memcpy(both, content->digest, DIGEST_SIZE);
                memcpy(both + DIGEST_SIZE, content->xattrs, DIGEST_SIZE);
                digest_of(both, sizeof(both), value);
        }
        digest_add(digest, line, (size_t) n);
        digest_add(digest, entry->path, strlen(entry->path));
        if (meta->kind == ENTRY_DIR)
                digest_add(digest, "/", 1);
        digest_add(digest, "", 1);
        digest_add(digest, value, DIGEST_SIZE);
}

/*
 * cache: the table finds an entry, the list keeps entries in order of use, newest first. Invariant: used
 * is the sum of n over all entries, and never above the budget when a call returns.
 */
#include <stdlib.h>
#include <string.h>

#include "shelf.h"

typedef struct Entry {
        Link link; /* first member: a Link of the list is its Entry */
        char *name;
        void *value;
        size_t n;
} Entry;

struct Cache {
        Table *table;
        List list;
        size_t budget;
        size_t used;
};

Cache *cache_new(size_t budget) {
        Cache *cache = calloc(1, sizeof(*cache));

        if (!cache)
                return NULL;
        cache->budget = budget;
        cache->table = table_new();
        if (!cache->table) {
                free(cache);
                return NULL;
        }
        return cache;
}

static void drop(Cache *cache, Entry *entry) {
        (void) table_remove(cache->table, entry->name);
        list_remove(&cache->list, &entry->link);
        cache->used -= entry->n;
        free(entry->name);
        free(entry->value);
        free(entry);
}

void cache_free(Cache *cache) {
        if (!cache)
                return;
        while (cache->list.first)
                drop(cache, (Entry *) cache->list.first);
        table_free(cache->table);
        free(cache);
}

static void *copy_of(const void *value, size_t n) {
        void *copy = malloc(n ? n : 1);

        if (copy && n)
                memcpy(copy, value, n);
        return copy;
}

static int replace(Cache *cache, Entry *entry, const void *value, size_t n) {
        void *copy = copy_of(value, n);

        if (!copy)
                return -1;
        free(entry->value);
        entry->value = copy;
        entry->n = n;
        cache->used += n;
        list_move_first(&cache->list, &entry->link);
        return 0;
}

static int add(Cache *cache, const char *name, const void *value, size_t n) {
        Entry *entry = calloc(1, sizeof(*entry));

        if (!entry)
                return -1;
        entry->name = strdup(name);
        entry->value = copy_of(value, n);
        entry->n = n;
        if (!entry->name || !entry->value || table_set(cache->table, name, entry) < 0) {
                free(entry->name);
                free(entry->value);
                free(entry);
                return -1;
        }
        list_add_first(&cache->list, &entry->link);
        cache->used += n;
        return 0;
}

int cache_put(Cache *cache, const char *name, const void *value, size_t n) {
        Entry *entry = table_get(cache->table, name);
        int r;

        if (n > cache->budget)
                return -1;
        r = entry ? replace(cache, entry, value, n) : add(cache, name, value, n);
        while (r == 0 && cache->used > cache->budget)
                drop(cache, (Entry *) cache->list.last);
        return r;
}

const void *cache_get(Cache *cache, const char *name, size_t *ret_n) {
        Entry *entry = table_get(cache->table, name);

        if (!entry)
                return NULL;
        list_move_first(&cache->list, &entry->link);
        if (ret_n)
                *ret_n = entry->n;
        return entry->value;
}

bool cache_remove(Cache *cache, const char *name) {
        Entry *entry = table_get(cache->table, name);

        if (!entry)
                return false;
        drop(cache, entry);
        return true;
}

size_t cache_used(const Cache *cache) {
        return cache->used;
}

size_t cache_count(const Cache *cache) {
        return cache->list.n;
}

const char *cache_oldest(const Cache *cache) {
        return cache->list.last ? ((const Entry *) cache->list.last)->name : NULL;
}

/*
 * table: chains in buckets; it doubles when there are more names than buckets.
 */
#include <stdlib.h>
#include <string.h>

#include "shelf.h"

#define BUCKETS_FIRST 8

typedef struct Slot {
        struct Slot *next;
        char *name;
        void *value;
} Slot;

struct Table {
        Slot **buckets;
        size_t n_buckets;
        size_t n;
};

Table *table_new(void) {
        Table *table = calloc(1, sizeof(*table));

        if (!table)
                return NULL;
        table->buckets = calloc(BUCKETS_FIRST, sizeof(Slot *));
        table->n_buckets = BUCKETS_FIRST;
        if (!table->buckets) {
                free(table);
                return NULL;
        }
        return table;
}

void table_free(Table *table) {
        if (!table)
                return;
        for (size_t i = 0; i < table->n_buckets; i++)
                while (table->buckets[i]) {
                        Slot *slot = table->buckets[i];

                        table->buckets[i] = slot->next;
                        free(slot->name);
                        free(slot);
                }
        free(table->buckets);
        free(table);
}

/* Where the pointer to a name's slot is, or would be */
static Slot **find(const Table *table, const char *name) {
        Slot **at = &table->buckets[hash_name(name) % table->n_buckets];

        while (*at && strcmp((*at)->name, name) != 0)
                at = &(*at)->next;
        return at;
}

static void grow(Table *table) {
        size_t n_buckets = table->n_buckets * 2;
        Slot **buckets = calloc(n_buckets, sizeof(Slot *));

        if (!buckets) /* the chains become longer, nothing else */
                return;
        for (size_t i = 0; i < table->n_buckets; i++)
                while (table->buckets[i]) {
                        Slot *slot = table->buckets[i];
                        Slot **to = &buckets[hash_name(slot->name) % n_buckets];

                        table->buckets[i] = slot->next;
                        slot->next = *to;
                        *to = slot;
                }
        free(table->buckets);
        table->buckets = buckets;
        table->n_buckets = n_buckets;
}

int table_set(Table *table, const char *name, void *value) {
        Slot **at = find(table, name);
        Slot *slot;

        if (*at) {
                (*at)->value = value;
                return 0;
        }
        slot = calloc(1, sizeof(*slot));
        if (slot)
                slot->name = strdup(name);
        if (!slot || !slot->name) {
                free(slot);
                return -1;
        }
        slot->value = value;
        *at = slot;
        if (++table->n > table->n_buckets)
                grow(table);
        return 0;
}

void *table_get(const Table *table, const char *name) {
        Slot *slot = *find(table, name);

        return slot ? slot->value : NULL;
}

void *table_remove(Table *table, const char *name) {
        Slot **at = find(table, name);
        Slot *slot = *at;
        void *value;

        if (!slot)
                return NULL;
        *at = slot->next;
        value = slot->value;
        free(slot->name);
        free(slot);
        table->n--;
        return value;
}

size_t table_count(const Table *table) {
        return table->n;
}

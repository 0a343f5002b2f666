#pragma once
/*
 * shelf: a cache of values under names, with a budget in bytes, and the small parts it is made of.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** hash_name() - a number for a name, the same on every machine (FNV-1a) */
uint64_t hash_name(const char *name);

/* ---- list: items are linked through a member of their own ---- */
typedef struct Link {
        struct Link *before, *after;
} Link;

typedef struct List {
        Link *first, *last;
        size_t n;
} List;

/** list_add_first() - put an item that is in no list at the front */
void list_add_first(List *list, Link *link);
/** list_remove() - take an item out */
void list_remove(List *list, Link *link);
/** list_move_first() - an item of the list becomes the first */
void list_move_first(List *list, Link *link);

/* ---- table: names to pointers ---- */
typedef struct Table Table;

/** table_new() - an empty table; NULL without memory */
Table *table_new(void);
/** table_free() - release it, not what it points to */
void table_free(Table *table);
/** table_set() - put or replace. Returns: 0, -1 without memory */
int table_set(Table *table, const char *name, void *value);
/** table_get() - what is under a name, NULL for nothing */
void *table_get(const Table *table, const char *name);
/** table_remove() - take it out. Returns: what was there */
void *table_remove(Table *table, const char *name);
/** table_count() - names in it */
size_t table_count(const Table *table);

/* ---- text ---- */
/** text_trim() - cut blanks off both ends, in place. Returns: where the text begins */
char *text_trim(char *text);
/** text_number() - a decimal number, the whole text. Returns: 0, -1 for anything else */
int text_number(const char *text, uint64_t *ret);
/** text_size() - "512", "64k", "2m": bytes. Returns: 0, -1 for anything else */
int text_size(const char *text, size_t *ret);

/* ---- conf: "name = value" lines, "#" begins a comment ---- */
typedef void (*ConfFn)(const char *name, const char *value, void *userdata);

/** conf_read() - call @each for every line. Returns: 0, or the number of the first line that is wrong */
unsigned conf_read(const char *text, ConfFn each, void *userdata);

/* ---- cache ---- */
typedef struct Cache Cache;

/** cache_new() - an empty cache that holds at most @budget bytes of values */
Cache *cache_new(size_t budget);
/** cache_free() - release it and all values */
void cache_free(Cache *cache);
/**
 * cache_put() - keep a copy of @n bytes under a name, as the newest; what was there is replaced
 *
 * The values that were not used for the longest time go until all fit. A value larger than the budget is
 * refused and changes nothing.
 *
 * Returns: 0, -1 refused or without memory.
 */
int cache_put(Cache *cache, const char *name, const void *value, size_t n);
/** cache_get() - the value, which becomes the newest; NULL for nothing; @ret_n may be NULL */
const void *cache_get(Cache *cache, const char *name, size_t *ret_n);
/** cache_remove() - forget one. Returns: was it there */
bool cache_remove(Cache *cache, const char *name);
/** cache_used() - bytes of all values */
size_t cache_used(const Cache *cache);
/** cache_count() - how many values */
size_t cache_count(const Cache *cache);
/** cache_oldest() - name of the value that goes next, NULL in an empty cache */
const char *cache_oldest(const Cache *cache);

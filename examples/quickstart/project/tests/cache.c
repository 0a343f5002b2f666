#include <stdio.h>
#include <string.h>

#include "shelf.h"
#include "tap.h"

static bool holds(Cache *cache, const char *name, const char *text) {
        size_t n = 0;
        const char *value = cache_get(cache, name, &n);

        return value && n == strlen(text) && memcmp(value, text, n) == 0;
}

static int put(Cache *cache, const char *name, const char *text) {
        return cache_put(cache, name, text, strlen(text));
}

static void test_order(void) {
        Cache *cache = cache_new(10);

        put(cache, "a", "1234");
        put(cache, "b", "1234");
        tap_ok(strcmp(cache_oldest(cache), "a") == 0, "cache: the first one is the oldest");
        tap_ok(holds(cache, "a", "1234") && strcmp(cache_oldest(cache), "b") == 0,
               "cache: what is asked for is the newest");
        put(cache, "c", "1234");
        tap_ok(!cache_get(cache, "b", NULL), "cache: the oldest goes when space is needed");
        tap_ok(holds(cache, "a", "1234") && holds(cache, "c", "1234"), "cache: the others stay");
        tap_ok(put(cache, "d", "12345678901") < 0, "cache: larger than the budget is refused");
        tap_ok(cache_count(cache) == 2, "cache: and changes nothing");
        tap_ok(put(cache, "e", "1234567890") == 0 && cache_count(cache) == 1,
               "cache: one that fills the budget is alone");
        cache_free(cache);
}

static void test_replace(void) {
        Cache *cache = cache_new(12);

        put(cache, "a", "12");
        put(cache, "b", "1234");
        put(cache, "a", "123456");
        tap_ok(holds(cache, "a", "123456"), "cache: a value is replaced");
        tap_ok(cache_used(cache) == 10, "cache: a longer value counts as what it is");
        put(cache, "a", "1");
        tap_ok(cache_used(cache) == 5, "cache: a shorter value counts as what it is");
        tap_ok(cache_count(cache) == 2, "cache: replacing drops nothing that fits");
        for (unsigned i = 0; i < 100; i++)
                put(cache, "a", "12345678");
        tap_ok(holds(cache, "b", "1234"), "cache: replacing often drops nothing that fits");
        tap_ok(cache_used(cache) == 12, "cache: replacing often counts once");
        put(cache, "a", "");
        tap_ok(cache_used(cache) == 4, "cache: an empty value counts nothing");
        cache_free(cache);
}

void test_cache(void) {
        Cache *cache = cache_new(100);

        tap_ok(cache_count(cache) == 0 && !cache_oldest(cache), "cache: a new one is empty");
        tap_ok(put(cache, "a", "one") == 0 && holds(cache, "a", "one"), "cache: put and get");
        tap_ok(!cache_get(cache, "b", NULL), "cache: nothing under a name");
        tap_ok(cache_remove(cache, "a") && !cache_remove(cache, "a"), "cache: remove once");
        tap_ok(cache_used(cache) == 0, "cache: an empty cache uses nothing");
        cache_free(cache);
        test_order();
        test_replace();
}

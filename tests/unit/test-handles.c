/* handles, links: what is there is found, what left is not, and neither takes longer because there are many. */
#include "base/handles.h"

#include "base/ids.h"
#include "base/links.h"
#include "base/owned.h"
#include "tests/tap.h"

#define MANY 4096u

typedef struct Thing Thing;

struct Thing {
        HandleLink link;
        Thing *next, **at;
};

static Handles handles;
static Thing things[MANY];

static unsigned longest(void) {
        unsigned most = 0;

        for (unsigned i = 0; i < HANDLES_BUCKETS; i++) {
                unsigned n = 0;

                for (const HandleLink *link = handles.buckets[i]; link; link = link->next)
                        n++;
                most = n > most ? n : most;
        }
        return most;
}

static unsigned found(uint64_t (*key)(unsigned i), unsigned from, unsigned to) {
        unsigned n = 0;

        for (unsigned i = from; i < to; i++)
                n += handles_find(&handles, key(i)) == &things[i].link;
        return n;
}

static uint64_t counted(unsigned i) {
        return i + 1;
}

/* As ids are: 50 bits, here by a generator of its own, so that each run is the same */
static uint64_t random_id(unsigned i) {
        uint64_t x = i + 1;

        for (unsigned round = 0; round < 3; round++)
                x = x * 6364136223846793005u + 1442695040888963407u;
        return x >> 14;
}

static uint64_t aligned(unsigned i) {
        return (uint64_t) i << 16;
}

static void test_keys(const char *what, uint64_t (*key)(unsigned i)) {
        memset(&handles, 0, sizeof(handles));
        memset(things, 0, sizeof(things));
        for (unsigned i = 0; i < MANY; i++)
                handles_add(&handles, &things[i].link, key(i));
        ok(found(key, 0, MANY) == MANY, "%s: all are found", what);
        ok(longest() <= 5 * MANY / HANDLES_BUCKETS, "%s: no bucket is long: %u", what, longest());
        ok(!handles_find(&handles, UINT64_MAX), "%s: what is not there is not found", what);
        for (unsigned i = 0; i < MANY; i += 2)
                handles_remove(&handles, &things[i].link);
        for (unsigned i = 0; i < MANY; i += 2)
                handles_remove(&handles, &things[i].link);
        ok(found(key, 0, MANY) == MANY / 2, "%s: half of them have left, once", what);
        for (unsigned i = 1; i < MANY; i += 2)
                handles_remove(&handles, &things[i].link);
        ok(longest() == 0, "%s: none is left", what);
}

static unsigned count(const Thing *first) {
        unsigned n = 0;

        for (; first; first = first->next)
                n++;
        return n;
}

static void test_links(void) {
        Thing *first = NULL;

        memset(things, 0, sizeof(things));
        LINK_OUT(&things[0], next, at);
        for (unsigned i = 0; i < 4; i++)
                LINK_IN(first, &things[i], next, at);
        ok(first == &things[3] && count(first) == 4, "the newest comes first");
        LINK_OUT(&things[3], next, at);
        ok(first == &things[2] && count(first) == 3, "the first leaves");
        LINK_OUT(&things[1], next, at);
        LINK_OUT(&things[1], next, at);
        ok(first->next == &things[0] && count(first) == 2, "one in the middle leaves, once");
        LINK_OUT(&things[0], next, at);
        ok(count(first) == 1, "the last leaves");
        LINK_OUT(first, next, at);
        ok(!first, "and the only one");
        LINK_IN(first, &things[1], next, at);
        ok(first == &things[1] && !first->next, "who left can come again");
}

static void test_id_numbers(void) {
        uint64_t a = 1, b = 2;
        char id[ID_MAX];

        ok(id_number('j', "j-aaaaaaaaaa", &a) == 0 && a == 0, "the least id");
        ok(id_number('j', "j-7777777777", &b) == 0 && b == (1ull << 50) - 1, "the greatest");
        ok(id_number('j', "j-aaaaaaaaab", &b) == 0 && b != a, "another id is another number");
        ok(id_number('j', "t-aaaaaaaaaa", &b) < 0 && id_number('j', "j-aaaa", &b) < 0,
           "what is no id has none");
        id_new('j', id);
        ok(id_number('j', id, &a) == 0 && a < 1ull << 50, "a fresh one has one");
}

int main(void) {
        test_keys("numbers that count up", counted);
        test_keys("random ones", random_id);
        test_keys("multiples", aligned);
        test_links();
        test_id_numbers();
        return tap_end();
}

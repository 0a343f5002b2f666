/* ids: names from outside are refused unless they have the exact form. */
#include "base/ids.h"

#include "base/owned.h"
#include "tests/tap.h"

static void bad_ids(void) {
        static const char *const bad[] = { "",
                                           "j",
                                           "j-",
                                           "j-aaaaaaaaa",
                                           "j-aaaaaaaaaaa",
                                           "t-aaaaaaaaaa",
                                           "j-AAAAAAAAAA",
                                           "j-aaaaaaaaa1",
                                           "j-aaaaaaaa/a",
                                           "j_aaaaaaaaaa",
                                           "j-aaaaaaaaaa\n" };
        size_t i;

        for (i = 0; i < ELEMENTS(bad); i++)
                ok(!id_is_valid('j', bad[i]), "\"%s\" is no jail", bad[i]);
        ok(!id_is_valid('j', NULL), "nothing is no jail");
}

static void bad_names(void) {
        static const char *const bad[] = { "",    ".",    "..",  "-a",  ".a",       "A",
                                           "a/b", "a..b", "a b", "a\n", "\xc3\xa4", "_a" };
        char name[66];
        size_t i;

        for (i = 0; i < ELEMENTS(bad); i++)
                ok(!name_is_valid(bad[i]), "name %zu is refused", i);
        ok(!name_is_valid(NULL), "no name is refused");
        memset(name, 'a', 65);
        name[65] = 0;
        ok(!name_is_valid(name), "65 characters are too many");
        name[64] = 0;
        ok(name_is_valid(name), "64 are not");
}

static void good_names(void) {
        ok(name_is_valid("host"), "host");
        ok(name_is_valid("debian-12.5_slim"), "debian-12.5_slim");
        ok(name_is_valid("0"), "0");
}

static void fresh_ids(void) {
        char a[ID_MAX], b[ID_MAX];

        id_new('t', a);
        id_new('t', b);
        ok(id_is_valid('t', a), "%s is a task", a);
        ok(!id_is_valid('j', a), "and no jail");
        ok(strcmp(a, b) != 0, "the next is another");
}

int main(void) {
        bad_ids();
        bad_names();
        good_names();
        fresh_ids();
        return tap_end();
}

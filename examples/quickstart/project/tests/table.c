#include <stdio.h>

#include "shelf.h"
#include "tap.h"

static bool many(Table *table, int *values, unsigned n) {
        char name[16];

        for (unsigned i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "name-%u", i);
                if (table_set(table, name, &values[i]) < 0)
                        return false;
        }
        for (unsigned i = 0; i < n; i++) {
                snprintf(name, sizeof(name), "name-%u", i);
                if (table_get(table, name) != &values[i])
                        return false;
        }
        return true;
}

void test_table(void) {
        static int values[500];
        Table *table = table_new();

        tap_ok(table_count(table) == 0, "table: a new one is empty");
        tap_ok(!table_get(table, "nothing"), "table: nothing under a name");
        tap_ok(table_set(table, "a", &values[0]) == 0 && table_get(table, "a") == &values[0],
               "table: put and get");
        tap_ok(table_set(table, "a", &values[1]) == 0 && table_get(table, "a") == &values[1],
               "table: put replaces");
        tap_ok(table_count(table) == 1, "table: replacing adds no name");
        tap_ok(table_remove(table, "a") == &values[1], "table: remove gives what was there");
        tap_ok(!table_remove(table, "a"), "table: remove what is not there");
        tap_ok(many(table, values, 500), "table: 500 names");
        tap_ok(table_count(table) == 500, "table: and all are counted");
        table_free(table);
}

#include "tap.h"

#include <stdio.h>

static unsigned n, failed;

void tap_ok(bool ok, const char *name) {
        n++;
        failed += !ok;
        printf("%s %u - %s\n", ok ? "ok" : "not ok", n, name);
}

int main(void) {
        test_hash();
        test_list();
        test_table();
        test_text();
        test_conf();
        test_cache();
        printf("1..%u\n", n);
        return failed ? 1 : 0;
}

#include "shelf.h"
#include "tap.h"

void test_hash(void) {
        tap_ok(hash_name("") == 0xcbf29ce484222325u, "hash: the empty name");
        tap_ok(hash_name("a") == 0xaf63dc4c8601ec8cu, "hash: a known value");
        tap_ok(hash_name("ab") != hash_name("ba"), "hash: order counts");
        tap_ok(hash_name("\xff") != hash_name("\x7f"), "hash: all eight bits count");
}

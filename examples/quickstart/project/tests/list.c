#include "shelf.h"
#include "tap.h"

void test_list(void) {
        List list = { 0 };
        Link a = { 0 }, b = { 0 }, c = { 0 };

        list_add_first(&list, &a);
        tap_ok(list.first == &a && list.last == &a, "list: one item is first and last");
        list_add_first(&list, &b);
        list_add_first(&list, &c);
        tap_ok(list.first == &c && list.last == &a && list.n == 3, "list: the newest is first");
        list_move_first(&list, &a);
        tap_ok(list.first == &a && list.last == &b, "list: the last moves to the front");
        list_move_first(&list, &a);
        tap_ok(list.first == &a && list.n == 3, "list: the first may move to the front");
        list_remove(&list, &c);
        tap_ok(a.after == &b && b.before == &a, "list: a gap closes");
        list_remove(&list, &a);
        list_remove(&list, &b);
        tap_ok(!list.first && !list.last && list.n == 0, "list: empty again");
}

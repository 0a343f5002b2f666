/* time-left: who sits at a command hears of its end twice, later where it stood still, and never of no limit */
#include "cli/time-left.h"

#include "tests/tap.h"

#define SECOND ((uint64_t) 1000000)
#define NOW    (1000 * SECOND)

static void take(TimeLeft *left, uint64_t seconds, uint64_t now_usec, bool at_once) {
        SCOPED(json_free) cJSON *result = cJSON_CreateObject();

        json_add_number(result, "wall_left_usec", seconds * SECOND);
        time_left_take(left, result, now_usec, at_once);
}

static void test_twice(void) {
        TimeLeft left = { 0 };

        ok(time_left_due(&left) == UINT64_MAX, "what is not known is no limit");
        take(&left, 1800, NOW, false);
        is_number(time_left_due(&left), NOW + 1500 * SECOND, "five minutes before");
        is_number(time_left_said(&left, NOW + 1500 * SECOND), 300 * SECOND,
                  "is said with what is left");
        is_number(time_left_due(&left), NOW + 1740 * SECOND, "and one before");
        (void) time_left_said(&left, NOW + 1740 * SECOND);
        ok(time_left_due(&left) == UINT64_MAX, "then no more");
}

static void test_frozen(void) {
        TimeLeft left = { 0 };

        take(&left, 301, NOW, false);
        take(&left, 400, NOW + 1 * SECOND, false);
        is_number(time_left_due(&left), NOW + 101 * SECOND, "what stood still ends later");
}

static void test_short(void) {
        TimeLeft left = { 0 }, late = { 0 };

        take(&left, 200, NOW, false);
        is_number(time_left_due(&left), NOW + 140 * SECOND, "who began it with less knows that");
        take(&late, 30, NOW, true);
        ok(time_left_due(&late) <= NOW, "who comes late hears it at once");
        is_number(time_left_said(&late, NOW), 30 * SECOND, "as much as there is");
        ok(time_left_due(&late) == UINT64_MAX, "and once");
}

static void test_ended(void) {
        SCOPED(json_free) cJSON *ended = cJSON_CreateObject();
        TimeLeft left = { 0 };

        take(&left, 1800, NOW, false);
        time_left_take(&left, ended, NOW, false);
        ok(time_left_due(&left) == UINT64_MAX, "what has ended has no time left");
}

int main(void) {
        test_twice();
        test_frozen();
        test_short();
        test_ended();
        return tap_end();
}

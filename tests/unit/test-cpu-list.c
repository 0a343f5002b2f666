/* cpu-list: the whole text or nothing, and what is set can be written again. */
#include "supervisor/front/policy/cpu-list.h"

#include <errno.h>
#include <string.h>

#include "base/owned.h"
#include "tests/tap.h"

static void lists_come_back(void) {
        static const struct {
                const char *text, *shown;
        } rows[] = {
                { "0", "0" },         { "0-3", "0-3" },       { "3,1,2", "1-3" },
                { "0,2,4", "0,2,4" }, { "5-5", "5" },         { "0-1,8-9,1023", "0-1,8-9,1023" },
                { "63,64", "63-64" }, { "0-1023", "0-1023" }, { "1,1,1-1", "1" },
        };
        char shown[CPU_LIST_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                uint64_t cpus[PLAN_CPU_WORDS] = { 7 };

                is_number(cpu_list_parse(rows[i].text, cpus, NULL), 0, rows[i].text);
                is_text(cpu_list_format(cpus, shown), rows[i].shown, rows[i].text);
        }
}

static void wrong_lists(void) {
        static const char *const bad[] = {
                "",   ",",    "1,",    ",1",   "1-",     "-1",  "3-1", "a",  "1 ",
                " 1", "1--2", "1-2-3", "1024", "0-1024", "0x1", "1;2", "+1", "99999999999999999999"
        };
        uint64_t cpus[PLAN_CPU_WORDS] = { 5 };

        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                Error err = ERROR_EMPTY;

                is_number(cpu_list_parse(bad[i], cpus, &err), -EINVAL, bad[i]);
                ok(err.text[0] != '\0', "'%s' has a reason", bad[i]);
        }
        is_number((long long) cpus[0], 5, "no output on failure");
}

static void long_lists_end_in_dots(void) {
        uint64_t cpus[PLAN_CPU_WORDS];
        char shown[CPU_LIST_TEXT_MAX];

        memset(cpus, 0x55, sizeof cpus);
        (void) cpu_list_format(cpus, shown);
        ok(strlen(shown) < sizeof shown, "every second processor fits the text");
        ok(strstr(shown, ",…") != NULL, "and it says that there are more");
}

static void within(void) {
        uint64_t few[PLAN_CPU_WORDS], many[PLAN_CPU_WORDS], none[PLAN_CPU_WORDS] = { 0 };

        (void) cpu_list_parse("1-2,1000", few, NULL);
        (void) cpu_list_parse("0-3,1000", many, NULL);
        ok(cpu_list_is_within(few, many), "few are within many");
        ok(!cpu_list_is_within(many, few), "many are not within few");
        ok(cpu_list_is_within(none, few), "none is within all");
        ok(cpu_list_is_empty(none) && !cpu_list_is_empty(few), "none is empty");
}

int main(void) {
        lists_come_back();
        wrong_lists();
        long_lists_end_in_dots();
        within();
        return tap_end();
}

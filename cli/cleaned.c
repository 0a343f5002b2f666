/*
 * cleaned: see cleaned.h.
 */
#include "cli/cleaned.h"

#include <stdio.h>

#include "base/units.h"
#include "cli/terminal.h"

/* What a supervisor says is not believed to be there */
static void show(const cJSON *item, const char *member, size_t max) {
        const char *text = json_text(item, member);

        terminal_text(stderr, text ? text : "-", max);
}

void cleaned_show(const cJSON *result, const char *where) {
        char times[UNITS_TEXT_MAX];
        uint64_t total = 0;
        const cJSON *item;

        (void) json_number(result, "cleaned_total", &total);
        if (total == 0)
                return;
        terminal_say("%s something did not land as it was %s:",
                     units_format_count(total, "time", times), where);
        cJSON_ArrayForEach(item, json_get(result, "cleaned")) {
                fputs("  ", stderr);
                show(item, "path", 200);
                fputs(": ", stderr);
                show(item, "text", 200);
                fputs(" (", stderr);
                show(item, "rule", 40);
                fputs(")\n", stderr);
        }
}

/* verdict-runs: see verdict-runs.h. */
#include "supervisor/front/verdict-runs.h"

#include <stdio.h>
#include <string.h>

static bool has_name(const cJSON *list, const char *name) {
        const cJSON *one;

        cJSON_ArrayForEach(one, list) {
                if (strcmp(one->valuestring, name) == 0)
                        return true;
        }
        return false;
}

static void add_names(cJSON *list, const cJSON *more) {
        const cJSON *one;

        cJSON_ArrayForEach(one, more) {
                if ((unsigned) cJSON_GetArraySize(list) < VERDICT_NAMES_MAX &&
                    !has_name(list, one->valuestring))
                        (void) json_push_text(list, one->valuestring);
        }
}

void verdict_collect(Verdict *verdict) {
        if (verdict->kind != VERDICT_PASSED)
                add_names(verdict->flaky, verdict->failing);
}

void verdict_merge(Verdict *last, unsigned need) {
        verdict_collect(last);
        if (last->runs_passed == 0) { /* what fails every time is not flaky */
                while (cJSON_GetArraySize(last->flaky) > 0)
                        cJSON_DeleteItemFromArray(last->flaky, 0);
        } else if (last->runs_passed < need) {
                verdict_say(last, VERDICT_FLAKY, "flaky",
                            "only %u of %u runs passed, and %u had to: the tests do not tell the "
                            "same every time",
                            last->runs_passed, last->runs, need);
        } else if (last->runs > 1) {
                (void) snprintf(last->reason, sizeof(last->reason),
                                "%u of %u runs passed, and %u had to", last->runs_passed,
                                last->runs, need);
        }
}

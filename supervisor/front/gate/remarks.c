/*
 * remarks: see remarks.h.
 */
#include "supervisor/front/gate/remarks.h"

#include <string.h>

#include "base/escape.h"

#define PATH_MAX_SHOWN 1024
#define TEXT_MAX       300

static const char *const names[_REMARK_CHECK_MAX] = {
        [REMARK_SECRET] = "secret",   [REMARK_ENTROPY] = "entropy", [REMARK_SET_ID] = "set-id",
        [REMARK_NETWORK] = "network", [REMARK_LOCK] = "lock-file",  [REMARK_SCOPE] = "scope",
        [REMARK_LINK] = "link",       [REMARK_RUNS] = "runs",
};

const char *remark_check_name(uint32_t check) {
        return check < _REMARK_CHECK_MAX ? names[check] : NULL;
}

unsigned remarks_bits(const cJSON *list) {
        const cJSON *item;
        unsigned bits = 0;

        cJSON_ArrayForEach(item, list) {
                for (unsigned i = REMARK_NONE + 1; i < _REMARK_CHECK_MAX; i++)
                        if (strcmp(item->valuestring, names[i]) == 0)
                                bits |= BIT(i);
        }
        return bits;
}

/* @record is hostile: it comes from who has read the patch */
int remarks_take(Touched *touched, const Record *record) {
        const char *name = remark_check_name(record->head.flags), *path = record->data;
        const char *what = path + strlen(path) + 1;
        autofree char *shown = NULL, *text = NULL;
        cJSON *json;

        if (!name)
                return 0;
        touched->remarked |= BIT(record->head.flags);
        if (cJSON_GetArraySize(touched->remarks) >= (int) VERDICT_NAMES_MAX)
                return 0;
        shown = escape_new(path, PATH_MAX_SHOWN);
        text = escape_new(what < record->data + record->head.size ? what : "", TEXT_MAX);
        json = json_push_consume(touched->remarks, cJSON_CreateObject());
        if (!shown || !text || !json_add_text(json, "check", name) ||
            !json_add_text(json, "file", shown) || !json_add_text(json, "text", text))
                return -ENOMEM;
        if (record->head.b > 0)
                json_add_number(json, "line", record->head.b);
        return 0;
}

static const cJSON *first_of(const Touched *touched, const char *name) {
        const cJSON *remark;

        cJSON_ArrayForEach(remark, touched->remarks) {
                if (strcmp(json_text(remark, "check"), name) == 0)
                        return remark;
        }
        return NULL;
}

void remarks_veto(const VerifySpec *spec, const Touched *touched, Verdict *verdict) {
        unsigned vetoed = spec->veto & touched->remarked;
        unsigned check = REMARK_NONE + 1;
        const cJSON *first;
        uint64_t line = 0;

        if (verdict->kind != VERDICT_PASSED || vetoed == 0)
                return;
        while (!(vetoed & BIT(check)))
                check++;
        first = first_of(touched, names[check]);
        (void) json_number(first, "line", &line);
        verdict_say(verdict, VERDICT_FAILED, "vetoed",
                    "the tests pass, but the check \"%s\" vetoes the patch: %.250s, line %llu: "
                    "%.200s",
                    names[check], first ? json_text(first, "file") : "a file",
                    (unsigned long long) line,
                    first ? json_text(first, "text") : "see the remarks");
}

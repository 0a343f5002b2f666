/*
 * ceilings: the administrator's file. What is accepted merges into values that have a place in the file.
 *
 */
#include "supervisor/front/policy/ceilings.h"

#include <stdlib.h>
#include <string.h>

#include "base/json-line.h"
#include "tests/fuzz/fuzz.h"

static void must(int good) {
        if (!good)
                abort();
}

static void merge(const Ceilings *ceilings, unsigned lines) {
        static const FrontInfo host = { .memory_total = 1 << 30, .cpus = 2 };
        static const uint32_t gids[] = { 0, 27, 1000 };
        const CeilingWho who = { 1000, gids, 3 };
        char source[CEILING_SOURCE_MAX];
        HostRules rules;
        Ceiling ceiling;

        ceilings_of(ceilings, &host, &who, &ceiling);
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++) {
                must(ceiling.items[i].line <= lines);
                must((ceiling.items[i].line == 0) == (ceiling.items[i].scope == CEILING_BUILT_IN));
                must(strlen(ceiling_source(&ceiling.items[i], source)) < CEILING_SOURCE_MAX);
                must(i >= QUOTA_JAILS || ceiling.items[i].value != 0);
        }
        ceilings_host(ceilings, &host, &rules);
        must(rules.pressure[0] <= 100 && rules.pressure[1] <= 100 && rules.pressure[2] <= 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *text = (const char *) data;
        Ceilings *ceilings = NULL;
        Error err = ERROR_EMPTY;
        unsigned lines = 1;

        if (n > 65536)
                return 0;
        for (size_t i = 0; i < n; i++)
                lines += text[i] == '\n';
        must(json_line(text, n, "/users/1000/quotas/jails/0") <= lines);
        if (ceilings_new(text, n, &ceilings, &err) < 0)
                must(err.text[0] != '\0');
        else
                merge(ceilings, lines);
        ceilings_free(ceilings);
        return 0;
}

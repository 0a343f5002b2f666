/*
 * cpu-list: see cpu-list.h.
 */
#include "supervisor/front/policy/cpu-list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool has(const uint64_t *cpus, unsigned cpu) {
        return cpu < PLAN_CPUS_MAX && (cpus[cpu / 64] >> cpu % 64 & 1);
}

/* A number below PLAN_CPUS_MAX at *@text, which moves behind it */
static int take_number(const char **text, unsigned *ret, Error *err) {
        const char *at = *text;
        unsigned value = 0;

        for (; *at >= '0' && *at <= '9'; at++) {
                value = value * 10 + (unsigned) (*at - '0');
                if (value >= PLAN_CPUS_MAX)
                        return error_say(err, -EINVAL, "processors are numbered from 0 to %u",
                                         PLAN_CPUS_MAX - 1);
        }
        if (at == *text)
                return error_say(err, -EINVAL, "\"%.60s\" is no list of processors like \"0-3,8\"",
                                 *text);
        *text = at;
        *ret = value;
        return 0;
}

static int take_range(const char **text, uint64_t *cpus, Error *err) {
        unsigned first, last;
        int r = take_number(text, &first, err);

        if (r < 0)
                return r;
        last = first;
        if (**text == '-') {
                (*text)++;
                r = take_number(text, &last, err);
        }
        if (r >= 0 && last < first)
                return error_say(err, -EINVAL, "%u-%u is no range: it descends", first, last);
        for (unsigned cpu = first; r >= 0 && cpu <= last; cpu++)
                cpus[cpu / 64] |= 1ull << cpu % 64;
        return r;
}

int cpu_list_parse(const char *text, uint64_t *ret, Error *err) {
        uint64_t cpus[PLAN_CPU_WORDS] = { 0 };
        int r = take_range(&text, cpus, err);

        while (r >= 0 && *text == ',') {
                text++;
                r = take_range(&text, cpus, err);
        }
        if (r >= 0 && *text)
                r = error_say(err, -EINVAL, "\"%.60s\" is no list of processors like \"0-3,8\"",
                              text);
        if (r < 0)
                return r;
        memcpy(ret, cpus, sizeof cpus);
        return 0;
}

const char *cpu_list_format(const uint64_t *cpus, char *text) {
        size_t n = 0;

        text[0] = '\0';
        for (unsigned first = 0; first < PLAN_CPUS_MAX; first++) {
                unsigned last = first;

                if (!has(cpus, first))
                        continue;
                if (n + sizeof ",1023-1023,…" > CPU_LIST_TEXT_MAX) {
                        (void) snprintf(text + n, CPU_LIST_TEXT_MAX - n, ",…");
                        break;
                }
                while (has(cpus, last + 1))
                        last++;
                n += (size_t) snprintf(text + n, CPU_LIST_TEXT_MAX - n, "%s%u", n ? "," : "",
                                       first);
                if (last > first)
                        n += (size_t) snprintf(text + n, CPU_LIST_TEXT_MAX - n, "-%u", last);
                first = last;
        }
        return text;
}

bool cpu_list_is_empty(const uint64_t *cpus) {
        for (unsigned i = 0; i < PLAN_CPU_WORDS; i++)
                if (cpus[i])
                        return false;
        return true;
}

bool cpu_list_is_within(const uint64_t *cpus, const uint64_t *all) {
        for (unsigned i = 0; i < PLAN_CPU_WORDS; i++)
                if (cpus[i] & ~all[i])
                        return false;
        return true;
}

#pragma once
/*
 * cpu-list: sets of processors as people write them ("0-3,8") and as plans carry them: one bit each.
 */
#include <stdbool.h>

#include "sandbox/plan.h"

#define CPU_LIST_TEXT_MAX 256

/** cpu_list_parse() - @text into @ret of PLAN_CPU_WORDS. Returns: 0, -EINVAL: no list, a descending range, above PLAN_CPUS_MAX */
int cpu_list_parse(const char *text, uint64_t *ret, Error *err);

/** cpu_list_format() - ranges into @text of CPU_LIST_TEXT_MAX, "…" where they do not fit; "" for none. Returns: @text */
const char *cpu_list_format(const uint64_t *cpus, char *text);

/** cpu_list_is_empty() - none set, which in limits means any */
bool cpu_list_is_empty(const uint64_t *cpus);

/** cpu_list_is_within() - is each of @cpus in @all */
bool cpu_list_is_within(const uint64_t *cpus, const uint64_t *all);

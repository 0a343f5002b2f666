#pragma once
/*
 * policy-limits: the limits of policies, ceilings and requests, from one table of fields. What comes later
 * may only tighten what is there.
 */
#include "base/json.h"
#include "supervisor/front/jails/plans.h"

#define LIMIT_VALUE_MAX 64 /* limits_format() */

typedef enum LimitField {
        LIMIT_MEMORY = 0,
        LIMIT_MEMORY_HIGH,
        LIMIT_PIDS,
        LIMIT_CPU,
        LIMIT_CPUSET,
        LIMIT_IO_READ,
        LIMIT_IO_WRITE,
        LIMIT_DISK,
        LIMIT_INODES,
        LIMIT_WALL,
        LIMIT_OUTPUT_KEEP,
        LIMIT_OUTPUT_MAX,
        LIMIT_COMMAND_MEMORY,
        LIMIT_COMMAND_PIDS,
        LIMIT_COMMAND_WALL,
        LIMIT_COMMAND_CPU_TIME,
        LIMIT_COMMAND_NOFILE,
        LIMIT_COMMAND_FSIZE,
        _LIMIT_FIELD_MAX,
} LimitField;

/** limits_pointer() - where field @i stands in a policy: "/limits/memory". Returns: static */
const char *limits_pointer(unsigned i);

/** limits_in_request() - may field @i stand in the "limits" of a request for a jail */
bool limits_in_request(unsigned i);

/** limits_is_set() - has field @i a value; the optional ones may have none */
bool limits_is_set(const JailLimits *limits, unsigned i);

/** limits_format_value() - @value as one of field @i, likewise; field @i is no list of processors. Returns: @text */
const char *limits_format_value(unsigned i, uint64_t value, char *text);

/** limits_format() - the value of field @i for people, "-" for none, into @text of LIMIT_VALUE_MAX. Returns: @text */
const char *limits_format(const JailLimits *limits, unsigned i, char *text);

/**
 * limits_take() - set one field
 * @item:    a text with a unit, or a plain number; lists of processors are texts
 * @tighten: refuse what is looser than what is there
 *
 * Returns: 0; -EINVAL: no such value or out of bounds; -EPERM: looser. @err has the reason without the field.
 */
int limits_take(JailLimits *limits, unsigned i, const cJSON *item, bool tighten, Error *err);

/** limits_lower() - field @i to @most, if it was looser; lists of processors stay. Returns: was it */
bool limits_lower(JailLimits *limits, unsigned i, uint64_t most);

/** limits_settle() - make them fit each other and the host. Returns: BIT of each field that it lowered */
uint32_t limits_settle(JailLimits *limits, const FrontInfo *info);

/** limits_describe() - add "limits" and "command" with plain numbers to @json */
void limits_describe(const JailLimits *limits, cJSON *json);

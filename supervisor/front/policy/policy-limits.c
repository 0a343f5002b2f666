/*
 * policy-limits: see policy-limits.h.
 *
 * In JailLimits 0 is "none", and looser than any number; so is an empty set of processors.
 */
#include "supervisor/front/policy/policy-limits.h"

#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/policy/cpu-list.h"

typedef enum FieldKind {
        FIELD_SIZE,
        FIELD_DURATION,
        FIELD_NUMBER,
        FIELD_SHARE,
        FIELD_CPUS,
} FieldKind;

typedef struct Field {
        const char *pointer; /* in a policy file */
        FieldKind kind;
        bool is_short; /* uint32_t in JailLimits */
        bool request;  /* may stand in a request's "limits" */
        size_t offset; /* in JailLimits */
        uint64_t min;
        uint64_t max;
} Field;

#define AT(MEMBER) offsetof(JailLimits, MEMBER)
#define MIB        (1ull << 20)
#define TIB        (1ull << 40)
#define MSEC       1000ull
#define YEAR       (366ull * 24 * 3600 * 1000000)

/* Bounds: what the monitor takes (sandbox/plan.h), and what the kernel's rlimits do. */
static const Field fields[_LIMIT_FIELD_MAX] = {
        [LIMIT_MEMORY] = { "/limits/memory", FIELD_SIZE, false, true, AT(plan.memory_bytes),
                           PLAN_MEMORY_MIN, PLAN_MEMORY_MAX },
        [LIMIT_MEMORY_HIGH] = { "/limits/memory_high", FIELD_SIZE, false, true,
                                AT(plan.memory_high_bytes), PLAN_MEMORY_MIN, PLAN_MEMORY_MAX },
        [LIMIT_PIDS] = { "/limits/pids", FIELD_NUMBER, true, true, AT(plan.pids), 1,
                         PLAN_PIDS_MAX },
        [LIMIT_CPU] = { "/limits/cpu", FIELD_SHARE, true, true, AT(plan.cpu_permille), PLAN_CPU_MIN,
                        PLAN_CPU_MAX },
        [LIMIT_CPUSET] = { "/limits/cpuset", FIELD_CPUS, false, true, AT(plan.cpus), 0, 0 },
        [LIMIT_IO_READ] = { "/limits/io_read", FIELD_SIZE, false, true, AT(plan.io_read_bytes),
                            4096, PLAN_IO_MAX },
        [LIMIT_IO_WRITE] = { "/limits/io_write", FIELD_SIZE, false, true, AT(plan.io_write_bytes),
                             4096, PLAN_IO_MAX },
        [LIMIT_DISK] = { "/limits/disk", FIELD_SIZE, false, true, AT(plan.disk_bytes),
                         PLAN_DISK_MIN, PLAN_MEMORY_MAX / 2 },
        [LIMIT_INODES] = { "/limits/inodes", FIELD_NUMBER, false, true, AT(plan.inodes),
                           PLAN_INODES_MIN, PLAN_INODES_MAX },
        [LIMIT_WALL] = { "/limits/wall", FIELD_DURATION, false, true, AT(wall_usec), MSEC, YEAR },
        [LIMIT_OUTPUT_KEEP] = { "/limits/output_keep", FIELD_SIZE, false, true, AT(output_keep), 1,
                                TIB },
        [LIMIT_OUTPUT_MAX] = { "/limits/output_max", FIELD_SIZE, false, true, AT(output_max), 1,
                               TIB },
        [LIMIT_COMMAND_MEMORY] = { "/command/memory", FIELD_SIZE, false, false,
                                   AT(command.memory_bytes), COMMAND_MEMORY_MIN, PLAN_MEMORY_MAX },
        [LIMIT_COMMAND_PIDS] = { "/command/pids", FIELD_NUMBER, true, false, AT(command.pids), 1,
                                 PLAN_PIDS_MAX },
        [LIMIT_COMMAND_WALL] = { "/command/wall", FIELD_DURATION, false, false,
                                 AT(command_wall_usec), MSEC, YEAR },
        [LIMIT_COMMAND_CPU_TIME] = { "/command/cpu_time", FIELD_DURATION, false, false,
                                     AT(command_cpu_usec), MSEC, YEAR },
        [LIMIT_COMMAND_NOFILE] = { "/command/nofile", FIELD_NUMBER, false, false, AT(nofile), 16,
                                   1 << 20 },
        [LIMIT_COMMAND_FSIZE] = { "/command/fsize", FIELD_SIZE, false, false, AT(fsize), 1,
                                  16 * TIB },
};

const char *limits_pointer(unsigned i) {
        return fields[i].pointer;
}

bool limits_in_request(unsigned i) {
        return fields[i].request;
}

static uint64_t get(const JailLimits *limits, const Field *field) {
        uint32_t narrow;
        uint64_t wide;

        if (field->is_short) {
                memcpy(&narrow, (const char *) limits + field->offset, sizeof narrow);
                return narrow;
        }
        memcpy(&wide, (const char *) limits + field->offset, sizeof wide);
        return wide;
}

static void set(JailLimits *limits, const Field *field, uint64_t value) {
        uint32_t narrow = (uint32_t) value;

        if (field->is_short)
                memcpy((char *) limits + field->offset, &narrow, sizeof narrow);
        else
                memcpy((char *) limits + field->offset, &value, sizeof value);
}

bool limits_is_set(const JailLimits *limits, unsigned i) {
        if (fields[i].kind == FIELD_CPUS)
                return !cpu_list_is_empty(limits->plan.cpus);
        return get(limits, &fields[i]) != 0;
}

/* ---- for people ----------------------------------------------------------------------------------- */

static const char *format_value(const Field *field, uint64_t value, char *text) {
        switch (field->kind) {
        case FIELD_SIZE:
                return units_format_size(value, text);
        case FIELD_DURATION:
                return units_format_duration(value, text);
        case FIELD_SHARE:
                (void) snprintf(text, LIMIT_VALUE_MAX, "%llu%%", (unsigned long long) value / 10);
                return text;
        case FIELD_NUMBER:
        case FIELD_CPUS:
        default:
                (void) snprintf(text, LIMIT_VALUE_MAX, "%llu", (unsigned long long) value);
                return text;
        }
}

const char *limits_format_value(unsigned i, uint64_t value, char *text) {
        return format_value(&fields[i], value, text);
}

const char *limits_format(const JailLimits *limits, unsigned i, char *text) {
        char cpus[CPU_LIST_TEXT_MAX];

        if (!limits_is_set(limits, i))
                return memcpy(text, "-", sizeof("-"));
        if (fields[i].kind != FIELD_CPUS)
                return format_value(&fields[i], get(limits, &fields[i]), text);
        (void) snprintf(text, LIMIT_VALUE_MAX, "%.60s", cpu_list_format(limits->plan.cpus, cpus));
        return text;
}

/* ---- taking --------------------------------------------------------------------------------------- */

static int parse_text(const Field *field, const char *text, uint64_t *ret, Error *err) {
        uint32_t share;
        int r;

        switch (field->kind) {
        case FIELD_SIZE:
                return units_parse_size(text, ret, err);
        case FIELD_DURATION:
                return units_parse_duration(text, ret, err);
        case FIELD_SHARE:
                r = units_parse_share(text, &share, err);
                if (r >= 0)
                        *ret = share;
                return r;
        case FIELD_NUMBER:
        case FIELD_CPUS:
        default:
                return units_parse_number(text, ret, err);
        }
}

static int read_value(const Field *field, const cJSON *item, uint64_t *ret, Error *err) {
        double number = cJSON_GetNumberValue(item);

        if (cJSON_IsString(item))
                return parse_text(field, item->valuestring, ret, err);
        if (!cJSON_IsNumber(item) || !(number >= 0 && number <= 0x1p53) ||
            number != (double) (uint64_t) number)
                return error_say(err, -EINVAL, "a whole number is expected");
        *ret = (uint64_t) number;
        return 0;
}

static int take_cpus(JailLimits *limits, const cJSON *item, bool tighten, Error *err) {
        uint64_t cpus[PLAN_CPU_WORDS];
        char most[CPU_LIST_TEXT_MAX];
        int r;

        if (!cJSON_IsString(item))
                return error_say(err, -EINVAL, "a list of processors like \"0-3,8\" is expected");
        r = cpu_list_parse(item->valuestring, cpus, err);
        if (r < 0)
                return r;
        if (tighten && !cpu_list_is_empty(limits->plan.cpus) &&
            !cpu_list_is_within(cpus, limits->plan.cpus))
                return error_say(err, -EPERM, "%.60s is not within %s", item->valuestring,
                                 cpu_list_format(limits->plan.cpus, most));
        memcpy(limits->plan.cpus, cpus, sizeof cpus);
        return 0;
}

int limits_take(JailLimits *limits, unsigned i, const cJSON *item, bool tighten, Error *err) {
        const Field *field = &fields[i];
        char shown[LIMIT_VALUE_MAX], bound[LIMIT_VALUE_MAX];
        uint64_t value = 0, old;
        int r;

        if (field->kind == FIELD_CPUS)
                return take_cpus(limits, item, tighten, err);
        r = read_value(field, item, &value, err);
        if (r < 0)
                return r;
        old = get(limits, field);
        if (tighten && old != 0 && value > old)
                return error_say(err, -EPERM, "%s is more than %s",
                                 format_value(field, value, shown),
                                 format_value(field, old, bound));
        if (value > field->max)
                return error_say(err, -EINVAL, "%s is more than %s, the most there is",
                                 format_value(field, value, shown),
                                 format_value(field, field->max, bound));
        if (value < field->min)
                return error_say(err, -EINVAL, "%s is less than %s, the least there is",
                                 format_value(field, value, shown),
                                 format_value(field, field->min, bound));
        set(limits, field, value);
        return 0;
}

/* ---- between each other --------------------------------------------------------------------------- */

bool limits_lower(JailLimits *limits, unsigned i, uint64_t most) {
        uint64_t old = get(limits, &fields[i]);

        if (fields[i].kind == FIELD_CPUS || (fields[i].is_short && most > UINT32_MAX) ||
            (old != 0 && old <= most))
                return false;
        set(limits, &fields[i], most);
        return true;
}

/* A part that may have all of its whole is not bounded by itself. */
static void drop_idle_bounds(JailLimits *limits) {
        if (limits->command.memory_bytes >= limits->plan.memory_bytes)
                limits->command.memory_bytes = 0;
        if (limits->command.pids >= limits->plan.pids)
                limits->command.pids = 0;
        if (limits->plan.memory_high_bytes >= limits->plan.memory_bytes)
                limits->plan.memory_high_bytes = 0;
}

uint32_t limits_settle(JailLimits *limits, const FrontInfo *info) {
        uint32_t lowered = 0;

        if (info->memory_total &&
            limits_lower(limits, LIMIT_MEMORY, info->memory_total - info->memory_total / 4))
                lowered |= 1u << LIMIT_MEMORY;
        if (limits_lower(limits, LIMIT_DISK, limits->plan.memory_bytes / 2))
                lowered |= 1u << LIMIT_DISK;
        if (limits_lower(limits, LIMIT_OUTPUT_KEEP, INIT_KEEP_MAX))
                lowered |= 1u << LIMIT_OUTPUT_KEEP;
        if (limits_lower(limits, LIMIT_COMMAND_WALL, limits->wall_usec))
                lowered |= 1u << LIMIT_COMMAND_WALL;
        drop_idle_bounds(limits);
        return lowered;
}

void limits_describe(const JailLimits *limits, cJSON *json) {
        cJSON *jail = json_add_object(json, "limits");
        cJSON *command = json_add_object(json, "command");
        char cpus[CPU_LIST_TEXT_MAX];

        for (unsigned i = 0; i < _LIMIT_FIELD_MAX; i++) {
                bool of_jail = fields[i].pointer[1] == 'l';
                const char *name = strrchr(fields[i].pointer, '/') + 1;
                cJSON *object = of_jail ? jail : command;

                if (!limits_is_set(limits, i))
                        continue;
                if (fields[i].kind == FIELD_CPUS)
                        json_add_text(object, name, cpu_list_format(limits->plan.cpus, cpus));
                else
                        json_add_number(object, name, get(limits, &fields[i]));
        }
}

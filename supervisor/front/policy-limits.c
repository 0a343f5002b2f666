/*
 * policy-limits: see policy-limits.h.
 */
#include "supervisor/front/policy-limits.h"

#include <string.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/cpu-list.h"

typedef enum FieldKind { FIELD_SIZE, FIELD_DURATION, FIELD_NUMBER, FIELD_SHARE } FieldKind;

typedef struct Field {
        const char *object; /* of a policy file */
        const char *name;
        FieldKind kind;
        size_t offset; /* in JailLimits */
        bool is_short; /* uint32_t there */
        bool request;  /* may stand in a request's "limits" */
} Field;

#define AT(MEMBER) offsetof(JailLimits, MEMBER)

static const Field fields[] = {
        { "limits", "memory", FIELD_SIZE, AT(plan.memory_bytes), false, true },
        { "limits", "memory_high", FIELD_SIZE, AT(plan.memory_high_bytes), false, true },
        { "limits", "pids", FIELD_NUMBER, AT(plan.pids), true, true },
        { "limits", "cpu", FIELD_SHARE, AT(plan.cpu_permille), true, true },
        { "limits", "io_read", FIELD_SIZE, AT(plan.io_read_bytes), false, true },
        { "limits", "io_write", FIELD_SIZE, AT(plan.io_write_bytes), false, true },
        { "limits", "disk", FIELD_SIZE, AT(plan.disk_bytes), false, true },
        { "limits", "inodes", FIELD_NUMBER, AT(plan.inodes), false, true },
        { "limits", "wall", FIELD_DURATION, AT(wall_usec), false, true },
        { "limits", "output_keep", FIELD_SIZE, AT(output_keep), false, true },
        { "limits", "output_max", FIELD_SIZE, AT(output_max), false, true },
        { "command", "memory", FIELD_SIZE, AT(command.memory_bytes), false, false },
        { "command", "pids", FIELD_NUMBER, AT(command.pids), true, false },
        { "command", "wall", FIELD_DURATION, AT(command_wall_usec), false, false },
        { "command", "cpu_time", FIELD_DURATION, AT(command_cpu_usec), false, false },
        { "command", "nofile", FIELD_NUMBER, AT(nofile), false, false },
        { "command", "fsize", FIELD_SIZE, AT(fsize), false, false },
};

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
        default:
                return units_parse_number(text, ret, err);
        }
}

/* 0 in the limits is "none yet", and looser than any number. */
static int apply(JailLimits *limits, const Field *field, uint64_t value, bool tighten, Error *err) {
        uint64_t old = get(limits, field);

        if (value == 0 || (field->is_short && value > UINT32_MAX))
                return error_say(err, -EINVAL, "%s.%s is out of range", field->object, field->name);
        if (tighten && old != 0 && value > old)
                return error_say(err, -EPERM,
                                 "%s.%s may be at most %llu here, not %llu: a limit can be "
                                 "tightened, or another policy be chosen",
                                 field->object, field->name, (unsigned long long) old,
                                 (unsigned long long) value);
        set(limits, field, value);
        return 0;
}

static int apply_cpus(JailLimits *limits, const char *text, bool tighten, Error *err) {
        uint64_t cpus[PLAN_CPU_WORDS];
        char most[CPU_LIST_TEXT_MAX];
        int r = cpu_list_parse(text, cpus, err);

        if (r < 0)
                return error_add(err, r, "limits.cpuset");
        if (tighten && !cpu_list_is_empty(limits->plan.cpus) &&
            !cpu_list_is_within(cpus, limits->plan.cpus))
                return error_say(err, -EPERM, "limits.cpuset may be within %s here, not %.60s",
                                 cpu_list_format(limits->plan.cpus, most), text);
        memcpy(limits->plan.cpus, cpus, sizeof cpus);
        return 0;
}

/* What belongs to the jail bounds what belongs to its parts. */
static void fit_parts(JailLimits *limits) {
        PlanLimits *plan = &limits->plan;

        if (plan->memory_high_bytes > plan->memory_bytes)
                plan->memory_high_bytes = plan->memory_bytes;
        if (limits->command.memory_bytes >= plan->memory_bytes)
                limits->command.memory_bytes = 0;
        if (limits->command.pids >= plan->pids)
                limits->command.pids = 0;
        if (limits->command_wall_usec > limits->wall_usec)
                limits->command_wall_usec = limits->wall_usec;
}

int limits_from_policy(JailLimits *limits, const cJSON *policy, bool tighten, Error *err) {
        const char *cpus = json_text(json_get(policy, "limits"), "cpuset");

        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                const Field *field = &fields[i];
                const cJSON *object = json_get(policy, field->object);
                const cJSON *item = json_get(object, field->name);
                uint64_t value = 0;
                int r;

                if (!item)
                        continue;
                r = cJSON_IsString(item) ? parse_text(field, item->valuestring, &value, err)
                                         : json_number(object, field->name, &value);
                if (r < 0)
                        return error_add(err, r, "%s.%s", field->object, field->name);
                r = apply(limits, field, value, tighten, err);
                if (r < 0)
                        return r;
        }
        return cpus ? apply_cpus(limits, cpus, tighten, err) : 0;
}

int limits_tighten(JailLimits *limits, const cJSON *request, Error *err) {
        const char *cpus = json_text(request, "cpuset");
        uint64_t value;
        int r;

        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                if (!fields[i].request)
                        continue;
                r = json_number(request, fields[i].name, &value);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return error_say(err, r, "limits.%s is no number", fields[i].name);
                r = apply(limits, &fields[i], value, true, err);
                if (r < 0)
                        return r;
        }
        r = cpus ? apply_cpus(limits, cpus, true, err) : 0;
        if (r < 0)
                return r;
        if (limits->plan.disk_bytes > limits->plan.memory_bytes / 2) {
                if (json_get(request, "disk"))
                        return error_say(err, -EINVAL,
                                         "limits.disk may be at most half of the memory limit "
                                         "(%llu): what a jail writes is held in memory",
                                         (unsigned long long) limits->plan.memory_bytes / 2);
                limits->plan.disk_bytes = limits->plan.memory_bytes / 2;
        }
        fit_parts(limits);
        return 0;
}

void limits_settle(JailLimits *limits, const FrontInfo *info) {
        uint64_t host = info->memory_total - info->memory_total / 4;

        if (info->memory_total && limits->plan.memory_bytes > host)
                limits->plan.memory_bytes = host;
        if (limits->plan.disk_bytes > limits->plan.memory_bytes / 2)
                limits->plan.disk_bytes = limits->plan.memory_bytes / 2;
        if (limits->output_keep > INIT_KEEP_MAX)
                limits->output_keep = INIT_KEEP_MAX;
        fit_parts(limits);
}

void limits_describe(const JailLimits *limits, cJSON *json) {
        cJSON *jail = json_add_object(json, "limits");
        cJSON *command = json_add_object(json, "command");
        char cpus[CPU_LIST_TEXT_MAX];

        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                bool of_jail = strcmp(fields[i].object, "limits") == 0;

                if (get(limits, &fields[i]))
                        json_add_number(of_jail ? jail : command, fields[i].name,
                                        get(limits, &fields[i]));
        }
        if (!cpu_list_is_empty(limits->plan.cpus))
                json_add_text(jail, "cpuset", cpu_list_format(limits->plan.cpus, cpus));
}

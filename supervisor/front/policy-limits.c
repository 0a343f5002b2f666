/*
 * policy-limits: see policy-limits.h.
 *
 * LIMIT: "command.memory" narrows the whole jail: commands have no memory group of their own yet, and a
 * jail that is tighter than asked keeps the promise, one that is looser would not.
 */
#include "supervisor/front/policy-limits.h"

#include <string.h>

#include "base/owned.h"
#include "base/units.h"

typedef enum FieldKind { FIELD_SIZE, FIELD_DURATION, FIELD_NUMBER, FIELD_SHARE } FieldKind;

typedef struct Field {
        const char *object; /* of a policy file */
        const char *name;
        FieldKind kind;
        size_t offset; /* in JailLimits */
        bool is_short; /* uint32_t there */
        bool request;  /* may stand in a request's "limits" */
} Field;

static const Field fields[] = {
        { "limits", "memory", FIELD_SIZE, offsetof(JailLimits, plan.memory_bytes), false, true },
        { "limits", "pids", FIELD_NUMBER, offsetof(JailLimits, plan.pids), true, true },
        { "limits", "cpu", FIELD_SHARE, offsetof(JailLimits, plan.cpu_permille), true, true },
        { "limits", "disk", FIELD_SIZE, offsetof(JailLimits, plan.disk_bytes), false, true },
        { "limits", "inodes", FIELD_NUMBER, offsetof(JailLimits, plan.inodes), false, true },
        { "limits", "wall", FIELD_DURATION, offsetof(JailLimits, wall_usec), false, true },
        { "limits", "output_keep", FIELD_SIZE, offsetof(JailLimits, output_keep), false, true },
        { "limits", "output_max", FIELD_SIZE, offsetof(JailLimits, output_max), false, true },
        { "command", "memory", FIELD_SIZE, offsetof(JailLimits, plan.memory_bytes), false, false },
        { "command", "wall", FIELD_DURATION, offsetof(JailLimits, command_wall_usec), false,
          false },
        { "command", "cpu_time", FIELD_DURATION, offsetof(JailLimits, command_cpu_usec), false,
          false },
        { "command", "nofile", FIELD_NUMBER, offsetof(JailLimits, nofile), false, false },
        { "command", "fsize", FIELD_SIZE, offsetof(JailLimits, fsize), false, false },
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

int limits_from_policy(JailLimits *limits, const cJSON *policy, bool tighten, Error *err) {
        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                const Field *field = &fields[i];
                const cJSON *object = json_get(policy, field->object);
                const cJSON *item = json_get(object, field->name);
                /* the jail's memory was set by the row above: the command's only narrows it */
                bool narrow =
                        tighten || (field->offset == offsetof(JailLimits, plan.memory_bytes) &&
                                    strcmp(field->object, "command") == 0);
                uint64_t value = 0;
                int r;

                if (!item)
                        continue;
                r = cJSON_IsString(item) ? parse_text(field, item->valuestring, &value, err)
                                         : json_number(object, field->name, &value);
                if (r < 0)
                        return error_add(err, r, "%s.%s", field->object, field->name);
                r = apply(limits, field, value, narrow, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int limits_tighten(JailLimits *limits, const cJSON *request, Error *err) {
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
        if (limits->plan.disk_bytes > limits->plan.memory_bytes / 2) {
                if (json_get(request, "disk"))
                        return error_say(err, -EINVAL,
                                         "limits.disk may be at most half of the memory limit "
                                         "(%llu): what a jail writes is held in memory",
                                         (unsigned long long) limits->plan.memory_bytes / 2);
                limits->plan.disk_bytes = limits->plan.memory_bytes / 2;
        }
        if (limits->command_wall_usec > limits->wall_usec)
                limits->command_wall_usec = limits->wall_usec;
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
        if (limits->command_wall_usec > limits->wall_usec)
                limits->command_wall_usec = limits->wall_usec;
}

void limits_describe(const JailLimits *limits, cJSON *json) {
        cJSON *jail = json_add_object(json, "limits");
        cJSON *command = json_add_object(json, "command");

        for (unsigned i = 0; i < ELEMENTS(fields); i++) {
                bool of_jail = strcmp(fields[i].object, "limits") == 0;

                if (!of_jail && strcmp(fields[i].name, "memory") == 0)
                        continue;
                if (get(limits, &fields[i]))
                        json_add_number(of_jail ? jail : command, fields[i].name,
                                        get(limits, &fields[i]));
        }
}

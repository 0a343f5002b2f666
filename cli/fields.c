/*
 * fields: see fields.h.
 */
#include "cli/fields.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "base/units.h"

static const Field fields[] = {
        { "task.start", "/limits/wall", "--limit wall", FIELD_USEC },
        { "task.start", "/limits/verifies", "--limit verifies", FIELD_COUNT },
        { "task.start", "/limits/commands", "--limit commands", FIELD_COUNT },
        { "task.start", "/limits/calls", "--limit calls", FIELD_COUNT },
        { "task.start", "/limits/tokens", "--limit tokens", FIELD_COUNT },
        { "task.start", "/limits/money", "--limit money", FIELD_MILLIONTHS },
        { "task.start", "/request", "--request", FIELD_COUNT },
        { "task.start", "/workflow", "--workflow", FIELD_COUNT },
        { "task.start", "/model", "--model", FIELD_COUNT },
        { "snapshot.import", "/name", "NAME", FIELD_COUNT },
        { "snapshot.import", "/limits/bytes", "--max-bytes", FIELD_BYTES },
        { "snapshot.import", "/limits/entries", "--max-entries", FIELD_COUNT },
        { "policy.show", "/name", "NAME", FIELD_COUNT },
        { "pool.set", "/snapshot", "SNAPSHOT", FIELD_COUNT },
        { "pool.set", "/policy", "POLICY", FIELD_COUNT },
        { "pool.set", "/size", "N", FIELD_COUNT },
        { "jail.fork", "/n", "--number", FIELD_COUNT },
        { "jail.signal", "/signal", "--signal", FIELD_COUNT },
        { "jail.stats", "/interval_usec", "--interval", FIELD_USEC },
        { NULL, "/persistent/name", "--persistent", FIELD_COUNT },
        { NULL, "/persistent/disk", "--disk", FIELD_BYTES },
        { NULL, "/persistent/idle_stop", "--idle-stop", FIELD_USEC },
        { NULL, "/persistent/ttl", "--ttl", FIELD_USEC },
        { NULL, "/exec/argv", "CMD", FIELD_COUNT },
        { NULL, "/snapshot", "--snapshot", FIELD_COUNT },
        { NULL, "/policy", "--policy", FIELD_COUNT },
        { NULL, "/rw", "--rw", FIELD_COUNT },
        { NULL, "/user", "--user", FIELD_COUNT },
        { NULL, "/exec/user", "--user", FIELD_COUNT },
        { NULL, "/cwd", "--cwd", FIELD_COUNT },
        { NULL, "/exec/cwd", "--cwd", FIELD_COUNT },
        { NULL, "/env", "--env", FIELD_COUNT },
        { NULL, "/exec/env", "--env", FIELD_COUNT },
        { NULL, "/limits/memory", "--memory", FIELD_BYTES },
        { NULL, "/exec/limits/memory", "--memory", FIELD_BYTES },
        { NULL, "/limits/pids", "--pids", FIELD_COUNT },
        { NULL, "/exec/limits/pids", "--pids", FIELD_COUNT },
        { NULL, "/limits/cpu", "--cpu", FIELD_PERMILLE },
        { NULL, "/limits/disk", "--disk", FIELD_BYTES },
        { NULL, "/limits/wall", "--time", FIELD_USEC },
        { NULL, "/exec/limits/wall", "--time", FIELD_USEC },
        { NULL, "/limits/cpu_time", "--cpu-time", FIELD_USEC },
        { NULL, "/exec/limits/cpu_time", "--cpu-time", FIELD_USEC },
};

/* @path itself, or what lies below it */
static bool is_within(const char *path, const char *row) {
        size_t n = strlen(row);

        return strncmp(path, row, n) == 0 && (path[n] == 0 || path[n] == '/');
}

const Field *field_find(const char *method, const char *path) {
        for (size_t i = 0; path && i < ELEMENTS(fields); i++)
                if ((!fields[i].method || strcmp(fields[i].method, method) == 0) &&
                    is_within(path, fields[i].path))
                        return &fields[i];
        return NULL;
}

static const char *show(const Field *field, uint64_t value, char *text) {
        switch (field ? field->unit : FIELD_COUNT) {
        case FIELD_BYTES:
                return units_format_size(value, text);
        case FIELD_USEC:
                return units_format_duration(value, text);
        case FIELD_PERMILLE:
                (void) snprintf(text, UNITS_TEXT_MAX, "%g%%", (double) value / 10);
                return text;
        case FIELD_MILLIONTHS:
                (void) snprintf(text, UNITS_TEXT_MAX, "%.15g", (double) value / 1e6);
                return text;
        case FIELD_COUNT:
        default:
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64, value);
                return text;
        }
}

const char *field_range(const Field *field, const cJSON *data, char *text) {
        char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
        uint64_t minimum = 0, maximum = 0;
        bool has_least = json_number(data, "minimum", &minimum) == 0;
        bool has_most = json_number(data, "maximum", &maximum) == 0;

        if (!has_least && !has_most)
                return NULL;
        (void) show(field, minimum, least);
        (void) show(field, maximum, most);
        (void) snprintf(text, FIELD_RANGE_MAX, "must be %s%s%s%s%s",
                        has_least && has_most ? "from " : "", has_least ? least : "",
                        has_least && has_most ? " to "
                        : has_least           ? " or more"
                                              : "",
                        has_most ? most : "", has_least ? "" : " or less");
        return text;
}

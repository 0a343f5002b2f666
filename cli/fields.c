/*
 * fields: see fields.h.
 */
#include "cli/fields.h"

#include <stdbool.h>
#include <string.h>

#include "base/owned.h"

static const struct {
        const char *method; /* NULL: any */
        const char *path;
        const char *option;
} rows[] = {
        { "task.start", "/limits/wall", "--limit wall" },
        { "task.start", "/limits/verifies", "--limit verifies" },
        { "task.start", "/limits/commands", "--limit commands" },
        { "task.start", "/limits/calls", "--limit calls" },
        { "task.start", "/limits/tokens", "--limit tokens" },
        { "task.start", "/limits/money", "--limit money" },
        { "task.start", "/request", "--request" },
        { "task.start", "/workflow", "--workflow" },
        { "task.start", "/model", "--model" },
        { "snapshot.import", "/name", "NAME" },
        { "policy.show", "/name", "NAME" },
        { NULL, "/exec/argv", "CMD" },
        { NULL, "/snapshot", "--snapshot" },
        { NULL, "/policy", "--policy" },
        { NULL, "/rw", "--rw" },
        { NULL, "/user", "--user" },
        { NULL, "/exec/user", "--user" },
        { NULL, "/cwd", "--cwd" },
        { NULL, "/exec/cwd", "--cwd" },
        { NULL, "/env", "--env" },
        { NULL, "/exec/env", "--env" },
        { NULL, "/limits/memory", "--memory" },
        { NULL, "/exec/limits/memory", "--memory" },
        { NULL, "/limits/pids", "--pids" },
        { NULL, "/exec/limits/pids", "--pids" },
        { NULL, "/limits/cpu", "--cpu" },
        { NULL, "/limits/disk", "--disk" },
        { NULL, "/limits/wall", "--time" },
        { NULL, "/exec/limits/wall", "--time" },
        { NULL, "/limits/cpu_time", "--cpu-time" },
        { NULL, "/exec/limits/cpu_time", "--cpu-time" },
};

/* @path itself, or what lies below it */
static bool is_within(const char *path, const char *row) {
        size_t n = strlen(row);

        return strncmp(path, row, n) == 0 && (path[n] == 0 || path[n] == '/');
}

const char *field_option(const char *method, const char *path) {
        for (size_t i = 0; path && i < ELEMENTS(rows); i++)
                if ((!rows[i].method || strcmp(rows[i].method, method) == 0) &&
                    is_within(path, rows[i].path))
                        return rows[i].option;
        return NULL;
}

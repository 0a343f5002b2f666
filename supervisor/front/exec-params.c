/*
 * exec-params: see exec-params.h.
 */
#include "supervisor/front/exec-params.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/policy-limits.h"

#define VARIABLE_MAX (1024 * 1024)

static int refuse(const ExecFrom *from, const char *field, int code, Error *err, const char *text) {
        char path[32];

        (void) snprintf(path, sizeof path, "%s%s", from->at, field);
        call_refuse(from->call, "invalid", path, NULL);
        return text ? error_say(err, code, "%s", text) : code;
}

static int take_argv(ExecParams *params, const cJSON *argv, Error *err) {
        const cJSON *word;
        unsigned n = 0;

        params->argv = calloc((size_t) cJSON_GetArraySize(argv) + 1, sizeof *params->argv);
        if (!params->argv)
                return error_set(err, -ENOMEM, "read the command");
        cJSON_ArrayForEach(word, argv) params->argv[n++] = word->valuestring;
        params->spec.argv = params->argv;
        return 0;
}

static char *variable(const char *name, const char *value) {
        Buf text = BUF_EMPTY(VARIABLE_MAX);

        if (buf_printf(&text, "%s=%s", name, value) < 0) {
                buf_deinit(&text);
                return NULL;
        }
        return buf_take(&text);
}

/* The default variables that the request does not name; a null takes one away. */
static unsigned add_defaults(char **env, const cJSON *json) {
        unsigned n = 0;

        for (unsigned i = 0; command_environment[i]; i++) {
                const char *text = command_environment[i];
                char name[32];

                (void) snprintf(name, sizeof name, "%.*s", (int) strcspn(text, "="), text);
                if (json_get(json, name))
                        continue;
                env[n] = strdup(text);
                n += env[n] != NULL;
        }
        return n;
}

static int take_env(ExecParams *params, const cJSON *json, Error *err) {
        const size_t room = 8 + (size_t) cJSON_GetArraySize(json);
        const cJSON *item;
        unsigned n;

        if (!json)
                return 0;
        params->env = calloc(room, sizeof *params->env);
        if (!params->env)
                return error_set(err, -ENOMEM, "read the environment");
        n = add_defaults(params->env, json);
        cJSON_ArrayForEach(item, json) {
                if (!cJSON_IsString(item))
                        continue;
                params->env[n] = variable(item->string, item->valuestring);
                if (!params->env[n])
                        return error_say(err, -E2BIG, "variable %.64s is too long", item->string);
                n++;
        }
        params->spec.env = (const char *const *) params->env;
        return 0;
}

static uint32_t kind_of(const char *word) {
        return strcmp(word, "fd") == 0        ? STDIO_FD
               : strcmp(word, "capture") == 0 ? STDIO_CAPTURE
               : strcmp(word, "merge") == 0   ? STDIO_MERGE
                                              : STDIO_NULL;
}

static int take_stream(ExecParams *params, const ExecFrom *from, unsigned i, unsigned *next_fd,
                       Error *err) {
        CommandSpec *spec = &params->spec;
        ClientFdUse use = spec->tty && i == 0 ? CLIENT_FD_TERMINAL : CLIENT_FD_STDIO;
        char path[16];
        int r;

        (void) snprintf(path, sizeof path, "/stdio/%u", i);
        if (i == 0 && (spec->stdio[0] == STDIO_CAPTURE || spec->stdio[0] == STDIO_MERGE))
                return refuse(from, path, -EINVAL, err, "input is \"fd\" or \"null\"");
        if (i == 1 && spec->stdio[1] == STDIO_MERGE)
                return refuse(from, path, -EINVAL, err, "only errors can be merged, into output");
        if (spec->stdio[i] != STDIO_FD)
                return 0;
        spec->fds[i] = call_fd(from->call, (*next_fd)++);
        r = client_fd_check(&from->front->pipes, spec->fds[i], use, err);
        return r < 0 ? refuse(from, path, r, err, NULL) : 0;
}

static int take_stdio(ExecParams *params, const ExecFrom *from, Error *err) {
        CommandSpec *spec = &params->spec;
        const cJSON *stdio = json_get(from->json, "stdio");
        unsigned next_fd = from->first_fd;
        int r;

        spec->tty = json_true(from->json, "tty");
        for (int i = 0; stdio && i < 3; i++)
                spec->stdio[i] = kind_of(cJSON_GetArrayItem(stdio, i)->valuestring);
        if (spec->tty && spec->stdio[0] != STDIO_FD)
                return refuse(from, "/tty", -EINVAL, err,
                              "with \"tty\" the input must be a terminal");
        for (unsigned i = 0; i < 3; i++) {
                r = take_stream(params, from, i, &next_fd, err);
                if (r < 0)
                        return r;
        }
        if (next_fd != call_n_fds(from->call))
                return refuse(from, "/stdio", -EINVAL, err,
                              "more descriptors came than \"stdio\" says");
        return 0;
}

typedef struct LimitRow {
        const char *name;
        LimitField field; /* for people */
        size_t offset;    /* in CommandSpec */
        size_t of_limits; /* in JailLimits */
} LimitRow;

#define LIMIT_ROW(NAME, FIELD, MEMBER, MOST) \
        { NAME, FIELD, offsetof(CommandSpec, MEMBER), offsetof(JailLimits, MOST) }

static const LimitRow limit_rows[] = {
        LIMIT_ROW("wall", LIMIT_COMMAND_WALL, wall_usec, command_wall_usec),
        LIMIT_ROW("cpu_time", LIMIT_COMMAND_CPU_TIME, cpu_usec, command_cpu_usec),
        LIMIT_ROW("output_keep", LIMIT_OUTPUT_KEEP, output_keep, output_keep),
        LIMIT_ROW("output_max", LIMIT_OUTPUT_MAX, output_max, output_max),
        LIMIT_ROW("nofile", LIMIT_COMMAND_NOFILE, nofile, nofile),
        LIMIT_ROW("fsize", LIMIT_COMMAND_FSIZE, fsize, fsize),
        LIMIT_ROW("memory", LIMIT_COMMAND_MEMORY, narrow.memory_bytes, command.memory_bytes),
};

/* What the command alone may have; memory and pids below what its jail has: see commands.c. */
static int check_limit(const ExecFrom *from, LimitField field, uint64_t value, uint64_t most,
                       Error *err) {
        const char *name = strrchr(limits_pointer(field), '/') + 1;
        const uint64_t least = field == LIMIT_COMMAND_MEMORY ? COMMAND_MEMORY_MIN : 0;
        char asked[LIMIT_VALUE_MAX], bound[LIMIT_VALUE_MAX], path[32];
        bool is_less = value < least;

        if (!is_less && (most == 0 || value <= most))
                return 0;
        (void) limits_format_value(field, value, asked);
        (void) limits_format_value(field, is_less ? least : most, bound);
        (void) snprintf(path, sizeof path, "%s/limits/%s", from->at, name);
        call_refuse(from->call, is_less ? "invalid" : "denied", path,
                    is_less ? NULL : "choose another policy");
        if (is_less)
                return error_say(err, -EINVAL, "limits.%s: %s is less than %s, the least there is",
                                 name, asked, bound);
        return error_say(err, -EPERM,
                         "limits.%s: %s is more than %s, the most that a command may have here",
                         name, asked, bound);
}

static int take_limit(ExecParams *params, const ExecFrom *from, const LimitRow *row, uint64_t value,
                      Error *err) {
        uint64_t most;
        int r;

        memcpy(&most, (const char *) from->limits + row->of_limits, sizeof most);
        r = check_limit(from, row->field, value, most, err);
        if (r >= 0)
                memcpy((char *) &params->spec + row->offset, &value, sizeof value);
        return r;
}

static int take_limits(ExecParams *params, const ExecFrom *from, Error *err) {
        const cJSON *json = json_get(from->json, "limits");
        uint64_t value;
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < ELEMENTS(limit_rows); i++)
                if (json_number(json, limit_rows[i].name, &value) == 0)
                        r = take_limit(params, from, &limit_rows[i], value, err);
        if (r >= 0 && json_number(json, "pids", &value) == 0) {
                r = check_limit(from, LIMIT_COMMAND_PIDS, value, from->limits->command.pids, err);
                params->spec.narrow.pids = (uint32_t) value;
        }
        return r;
}

static void take_user(CommandSpec *spec, const cJSON *user) {
        uint64_t value;

        if (json_number(user, "uid", &value) == 0)
                spec->uid = (uint32_t) value;
        if (json_number(user, "gid", &value) == 0)
                spec->gid = (uint32_t) value;
}

int exec_params_init(ExecParams *params, const ExecFrom *from, Error *err) {
        const cJSON *json = from->json;
        int r;

        *params = (ExecParams){ .spec = COMMAND_SPEC_EMPTY };
        params->spec.cwd = json_text(json, "cwd");
        params->spec.uid = from->plan->uid;
        params->spec.gid = from->plan->gid;
        take_user(&params->spec, json_get(json, "user"));
        r = take_argv(params, json_get(json, "argv"), err);
        if (r >= 0)
                r = take_env(params, json_get(json, "env"), err);
        if (r >= 0)
                r = take_limits(params, from, err);
        return r < 0 ? r : take_stdio(params, from, err);
}

void exec_params_deinit(ExecParams *params) {
        free(params->argv);
        for (char **at = params->env; at && *at; at++)
                free(*at);
        free(params->env);
        *params = (ExecParams){ 0 };
}

/*
 * exec-params: see exec-params.h.
 */
#include "supervisor/front/exec-params.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "supervisor/front/client-fds.h"

#define VARIABLE_MAX (1024 * 1024)

static int refuse(Call *call, const char *path, int code, Error *err, const char *text) {
        call_refuse(call, code == -EPERM ? "denied" : "invalid", path, NULL);
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
        Call *call = from->call;
        ClientFdUse use = spec->tty && i == 0 ? CLIENT_FD_TERMINAL : CLIENT_FD_STDIO;
        char path[16];
        int r;

        (void) snprintf(path, sizeof path, "/stdio/%u", i);
        if (i == 0 && (spec->stdio[0] == STDIO_CAPTURE || spec->stdio[0] == STDIO_MERGE))
                return refuse(call, path, -EINVAL, err, "input is \"fd\" or \"null\"");
        if (i == 1 && spec->stdio[1] == STDIO_MERGE)
                return refuse(call, path, -EINVAL, err, "only errors can be merged, into output");
        if (spec->stdio[i] != STDIO_FD)
                return 0;
        spec->fds[i] = call_fd(call, (*next_fd)++);
        r = client_fd_check(&from->front->pipes, spec->fds[i], use, err);
        return r < 0 ? refuse(call, path, r, err, NULL) : 0;
}

static int take_stdio(ExecParams *params, const ExecFrom *from, Error *err) {
        CommandSpec *spec = &params->spec;
        const cJSON *stdio = json_get(from->json, "stdio");
        unsigned next_fd = from->first_fd;
        Call *call = from->call;
        int r;

        spec->tty = json_true(from->json, "tty");
        for (int i = 0; stdio && i < 3; i++)
                spec->stdio[i] = kind_of(cJSON_GetArrayItem(stdio, i)->valuestring);
        if (spec->tty && spec->stdio[0] != STDIO_FD)
                return refuse(call, "/tty", -EINVAL, err,
                              "with \"tty\" the input must be a terminal");
        for (unsigned i = 0; i < 3; i++) {
                r = take_stream(params, from, i, &next_fd, err);
                if (r < 0)
                        return r;
        }
        if (next_fd != call_n_fds(call))
                return refuse(call, "/stdio", -EINVAL, err,
                              "more descriptors came than \"stdio\" says");
        return 0;
}

static const struct {
        const char *name;
        size_t offset;    /* in CommandSpec */
        size_t of_limits; /* in JailLimits */
} limit_fields[] = {
        { "wall", offsetof(CommandSpec, wall_usec), offsetof(JailLimits, command_wall_usec) },
        { "cpu_time", offsetof(CommandSpec, cpu_usec), offsetof(JailLimits, command_cpu_usec) },
        { "output_keep", offsetof(CommandSpec, output_keep), offsetof(JailLimits, output_keep) },
        { "output_max", offsetof(CommandSpec, output_max), offsetof(JailLimits, output_max) },
        { "nofile", offsetof(CommandSpec, nofile), offsetof(JailLimits, nofile) },
        { "fsize", offsetof(CommandSpec, fsize), offsetof(JailLimits, fsize) },
};

static int refuse_more(Call *call, const char *name, uint64_t most, Error *err) {
        char path[32];

        (void) snprintf(path, sizeof path, "/limits/%s", name);
        error_say(err, -EPERM, "limits.%s may be at most %llu here: choose another policy", name,
                  (unsigned long long) most);
        return refuse(call, path, -EPERM, err, NULL);
}

/* What the command alone may have, below what its jail has: see commands.c. */
static int take_narrow(ExecParams *params, Call *call, const cJSON *json, const JailLimits *limits,
                       Error *err) {
        const CommandLimits *most = &limits->command;
        CommandLimits *narrow = &params->spec.narrow;
        uint64_t value;

        if (json_number(json, "memory", &value) == 0) {
                if (most->memory_bytes && value > most->memory_bytes)
                        return refuse_more(call, "memory", most->memory_bytes, err);
                narrow->memory_bytes = value;
        }
        if (json_number(json, "pids", &value) == 0) {
                if (most->pids && value > most->pids)
                        return refuse_more(call, "pids", most->pids, err);
                narrow->pids = (uint32_t) value;
        }
        return 0;
}

static int take_limits(ExecParams *params, Call *call, const cJSON *json, const JailLimits *limits,
                       Error *err) {
        uint64_t value, most;

        for (unsigned i = 0; i < ELEMENTS(limit_fields); i++) {
                if (json_number(json, limit_fields[i].name, &value) < 0)
                        continue;
                memcpy(&most, (const char *) limits + limit_fields[i].of_limits, sizeof most);
                if (most && value > most)
                        return refuse_more(call, limit_fields[i].name, most, err);
                memcpy((char *) &params->spec + limit_fields[i].offset, &value, sizeof value);
        }
        return take_narrow(params, call, json, limits, err);
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
                r = take_limits(params, from->call, json_get(json, "limits"), from->limits, err);
        return r < 0 ? r : take_stdio(params, from, err);
}

void exec_params_deinit(ExecParams *params) {
        free(params->argv);
        for (char **at = params->env; at && *at; at++)
                free(*at);
        free(params->env);
        *params = (ExecParams){ 0 };
}

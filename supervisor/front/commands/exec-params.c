/*
 * exec-params: see exec-params.h.
 */
#include "supervisor/front/commands/exec-params.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/client-fds.h"
#include "supervisor/front/jails/jail-image.h"
#include "supervisor/front/policy/policy-limits.h"

static int refuse(const ExecFrom *from, const char *field, int code, Error *err, const char *text) {
        char path[32];

        (void) snprintf(path, sizeof path, "%s%s", from->at, field);
        call_refuse(from->call, "invalid", path, NULL);
        return text ? error_say(err, code, "%s", text) : code;
}

static int take_argv(ExecParams *params, const ExecFrom *from, Error *err) {
        const cJSON *argv = json_get(from->json, "argv"), *word;
        unsigned n = 0;

        if (!argv) {
                params->argv = jail_image_command(from->image);
                params->spec.argv = params->argv;
                return params->argv ? 0
                                    : refuse(from, "/argv", -EINVAL, err,
                                             "there is no command, and the snapshot has none of "
                                             "its own: say what to run");
        }
        params->argv = calloc((size_t) cJSON_GetArraySize(argv) + 1, sizeof *params->argv);
        if (!params->argv)
                return error_set(err, -ENOMEM, "read the command");
        cJSON_ArrayForEach(word, argv) params->argv[n++] = word->valuestring;
        params->spec.argv = params->argv;
        return 0;
}

static int take_env(ExecParams *params, const cJSON *image, const cJSON *asked, Error *err) {
        if (!asked) /* the jail's */
                return 0;
        params->env = environment_new(image, asked);
        if (!params->env)
                return error_say(err, -E2BIG,
                                 "no memory for the environment, or a variable that is too long");
        params->spec.env = (const char *const *) params->env;
        return 0;
}

/* The image's own directory, unless a command of the caller's is to work on the caller's files. */
static const char *choose_cwd(const ExecFrom *from) {
        const char *asked = json_text(from->json, "cwd");

        if (asked || (from->has_work && json_get(from->json, "argv")))
                return asked;
        return json_text(from->image, "cwd");
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

static void take_terminal(InitTerminal *terminal, const cJSON *json) {
        const cJSON *modes = json_get(json, "modes"), *keys = json_get(json, "keys");
        uint64_t rows = 0, columns = 0;

        (void) json_number(json, "rows", &rows);
        (void) json_number(json, "columns", &columns);
        *terminal = (InitTerminal){ .rows = (uint32_t) rows,
                                    .columns = (uint32_t) columns,
                                    .has_modes = modes && keys };
        for (int i = 0; terminal->has_modes && i < INIT_TERMINAL_MODES; i++)
                terminal->modes[i] = (uint32_t) cJSON_GetArrayItem(modes, i)->valuedouble;
        for (int i = 0; terminal->has_modes && i < INIT_TERMINAL_KEYS; i++)
                terminal->keys[i] = (uint8_t) cJSON_GetArrayItem(keys, i)->valueint;
}

static int take_own_tty(CommandSpec *spec, const ExecFrom *from, Error *err) {
        if (json_get(from->json, "stdio") || call_n_fds(from->call) > from->first_fd)
                return refuse(from, "/stdio", -EINVAL, err,
                              "a terminal of the jail's own takes the place of all three");
        spec->stdio[2] = STDIO_MERGE; /* input: null, output: captured, by COMMAND_SPEC_EMPTY */
        spec->pty = true;
        take_terminal(&spec->terminal, json_get(from->json, "terminal"));
        return 0;
}

static int take_stdio(ExecParams *params, const ExecFrom *from, Error *err) {
        CommandSpec *spec = &params->spec;
        const cJSON *stdio = json_get(from->json, "stdio");
        unsigned next_fd = from->first_fd;
        int r;

        spec->tty = json_true(from->json, "tty");
        if (spec->tty && from->own_tty)
                return take_own_tty(spec, from, err);
        if (json_get(from->json, "terminal") || json_true(from->json, "hold"))
                return refuse(from, json_get(from->json, "hold") ? "/hold" : "/terminal", -EINVAL,
                              err, "only a command with \"detach\" and \"tty\" has that");
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

/* A request only tightens: no command may ask for more than its jail has. 0: a jail has no such limit. */
static uint64_t most_of_jail(const JailLimits *limits, LimitField field) {
        return field == LIMIT_COMMAND_MEMORY ? limits->plan.memory_bytes
               : field == LIMIT_COMMAND_PIDS ? limits->plan.pids
                                             : 0;
}

/* What the command alone may have; of memory and pids less gives it counters of its own: see commands.c. */
static int check_limit(const ExecFrom *from, LimitField field, uint64_t value, uint64_t most,
                       Error *err) {
        const char *name = strrchr(limits_pointer(field), '/') + 1;
        const uint64_t least = field == LIMIT_COMMAND_MEMORY ? COMMAND_MEMORY_MIN : 0;
        const uint64_t jail = most_of_jail(from->limits, field);
        char asked[LIMIT_VALUE_MAX], bound[LIMIT_VALUE_MAX], path[32];
        bool is_less = value < least;

        if (jail && (most == 0 || jail < most))
                most = jail;
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

void exec_user_take(const cJSON *user, uint32_t *uid, uint32_t *gid) {
        uint64_t value;

        if (json_number(user, "uid", &value) == 0)
                *uid = (uint32_t) value;
        if (json_number(user, "gid", &value) == 0)
                *gid = (uint32_t) value;
}

int exec_params_init(ExecParams *params, const ExecFrom *from, Error *err) {
        const cJSON *json = from->json;
        int r;

        *params = (ExecParams){ .spec = COMMAND_SPEC_EMPTY };
        params->spec.cwd = choose_cwd(from);
        params->spec.uid = from->plan->uid;
        params->spec.gid = from->plan->gid;
        exec_user_take(json_get(json, "user"), &params->spec.uid, &params->spec.gid);
        r = take_argv(params, from, err);
        if (r >= 0)
                r = take_env(params, from->image, json_get(json, "env"), err);
        if (r >= 0)
                r = take_limits(params, from, err);
        return r < 0 ? r : take_stdio(params, from, err);
}

void exec_params_deinit(ExecParams *params) {
        free(params->argv);
        environment_free(params->env);
        *params = (ExecParams){ 0 };
}

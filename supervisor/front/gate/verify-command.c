/*
 * verify-command: see verify-command.h.
 */
#include "supervisor/front/gate/verify-command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "supervisor/front/gate/spec-env.h"
#include "supervisor/front/policy/policy-limits.h"

#define WORK "/work"

static const char *const parse_names[_VERIFY_PARSE_MAX] = {
        [PARSE_EXIT] = "exit",     [PARSE_TAP] = "tap",
        [PARSE_COUNTS] = "counts", [PARSE_JUNIT] = "junit",
        [PARSE_GO] = "go",         [PARSE_NODE] = "node",
        [PARSE_PYTEST] = "pytest", [PARSE_UNITTEST] = "unittest",
        [PARSE_CTEST] = "ctest",   [PARSE_CARGO] = "cargo",
        [PARSE_JEST] = "jest",     [PARSE_MOCHA] = "mocha",
};

static const struct {
        const char *name; /* in the spec */
        LimitField field; /* of the policy, which bounds it */
} limit_rows[] = {
        { "wall", LIMIT_COMMAND_WALL },     { "cpu_time", LIMIT_COMMAND_CPU_TIME },
        { "memory", LIMIT_COMMAND_MEMORY }, { "pids", LIMIT_COMMAND_PIDS },
        { "output_max", LIMIT_OUTPUT_MAX },
};

const char *verify_parse_name(VerifyParse parse) {
        return parse_names[parse];
}

static VerifyParse parse_of(const char *name) {
        for (unsigned i = 0; name && i < _VERIFY_PARSE_MAX; i++)
                if (strcmp(name, parse_names[i]) == 0)
                        return (VerifyParse) i;
        return PARSE_EXIT;
}

int verify_wrong(SchemaFault *fault, const char *path, const char *format, ...) {
        va_list args;

        (void) snprintf(fault->path, sizeof(fault->path), "%s", path);
        va_start(args, format);
        (void) vsnprintf(fault->text, sizeof(fault->text), format, args);
        va_end(args);
        return -EINVAL;
}

unsigned verify_strings(const cJSON *array, const char **items, unsigned max) {
        const cJSON *item;
        unsigned n = 0;

        cJSON_ArrayForEach(item, array) {
                if (n < max && cJSON_IsString(item))
                        items[n++] = item->valuestring;
        }
        return n;
}

/* Below "/commands/3", a field of it */
static const char *field_of(char *path, const char *at, const char *name) {
        (void) snprintf(path, SCHEMA_PATH_MAX, "%.40s/%.200s", at, name);
        return path;
}

static int read_limits(VerifyCommand *command, const char *at, uint64_t wall, SchemaFault *fault) {
        JailLimits asked = { .command_wall_usec = wall };
        char path[SCHEMA_PATH_MAX];
        Error err = ERROR_EMPTY;

        for (unsigned i = 0; i < ELEMENTS(limit_rows); i++) {
                const cJSON *item = json_get(command->json, limit_rows[i].name);

                if (item && limits_take(&asked, limit_rows[i].field, item, false, &err) < 0)
                        return verify_wrong(fault, field_of(path, at, limit_rows[i].name), "%s",
                                            err.text);
        }
        command->wall_usec = asked.command_wall_usec;
        command->cpu_usec = asked.command_cpu_usec;
        command->output_max = asked.output_max;
        command->narrow = asked.command;
        return 0;
}

/* A directory below /work by its own name: no "..", so that the name says which one it is */
static int read_cwd(VerifyCommand *command, const char *at, SchemaFault *fault) {
        const char *cwd = json_text(command->json, "cwd");
        char path[SCHEMA_PATH_MAX];

        (void) snprintf(command->cwd, sizeof(command->cwd), "%s", WORK);
        if (!cwd)
                return 0;
        if (cwd[0] == '/' || spec_env_leaves(cwd))
                return verify_wrong(fault, field_of(path, at, "cwd"),
                                    "a directory below " WORK
                                    " is expected, named from there: \"server\", for example");
        (void) snprintf(command->cwd, sizeof(command->cwd), WORK "/%s", cwd);
        return 0;
}

static int read_env(VerifyCommand *command, const char *at, SchemaFault *fault) {
        const cJSON *item;
        char path[SCHEMA_PATH_MAX], name[SCHEMA_PATH_MAX];
        const char *why;

        command->env = json_get(command->json, "env");
        cJSON_ArrayForEach(item, command->env) {
                why = spec_env_refusal(item->string,
                                       cJSON_IsString(item) ? item->valuestring : NULL);
                if (!why)
                        continue;
                (void) snprintf(name, sizeof(name), "env/%.100s", item->string);
                return verify_wrong(fault, field_of(path, at, name), "%s", why);
        }
        return 0;
}

static int read_reports(VerifyCommand *command, const char *at, SchemaFault *fault) {
        char path[SCHEMA_PATH_MAX];

        command->parse = parse_of(json_text(command->json, "parse"));
        command->n_reports = verify_strings(json_get(command->json, "report"), command->reports,
                                            VERIFY_REPORTS_MAX);
        if (command->n_reports == 0 || command->parse != PARSE_EXIT)
                return 0;
        return verify_wrong(fault, field_of(path, at, "report"),
                            "nothing reads it; say in which form it is: \"parse\": \"junit\", for "
                            "example");
}

int verify_command_read(const cJSON *json, const char *place, unsigned i, VerifyCommand *ret,
                        SchemaFault *fault) {
        bool setup = strcmp(place, "setup") == 0;
        const char *id = json_text(json, "id");
        char at[40], path[SCHEMA_PATH_MAX];
        unsigned n = verify_strings(json_get(json, "run"), ret->argv, VERIFY_ARGS_MAX);
        int r;

        (void) snprintf(at, sizeof(at), "/%s/%u", place, i);
        ret->json = json;
        ret->argv[n] = NULL;
        if (n == 0 || !ret->argv[0][0])
                return verify_wrong(fault, field_of(path, at, "run"),
                                    "the name of the program is empty");
        if (id)
                (void) snprintf(ret->id, sizeof(ret->id), "%s", id);
        else
                (void) snprintf(ret->id, sizeof(ret->id), "%s-%u", place, i + 1);
        r = read_reports(ret, at, fault);
        if (r == 0)
                r = read_cwd(ret, at, fault);
        if (r == 0)
                r = read_env(ret, at, fault);
        return r < 0 ? r
                     : read_limits(ret, at, setup ? VERIFY_SETUP_USEC : VERIFY_WALL_USEC, fault);
}

int verify_command_fits(const VerifyCommand *command, const JailLimits *limits, const char *place,
                        unsigned i, SchemaFault *fault) {
        JailLimits most = *limits;
        char at[40], path[SCHEMA_PATH_MAX];
        Error err = ERROR_EMPTY;

        /* a command may have all of its jail, where the policy says no less */
        (void) limits_lower(&most, LIMIT_COMMAND_MEMORY, most.plan.memory_bytes);
        (void) limits_lower(&most, LIMIT_COMMAND_PIDS, most.plan.pids);
        for (unsigned k = 0; k < ELEMENTS(limit_rows); k++) {
                const cJSON *item = json_get(command->json, limit_rows[k].name);

                if (!item || limits_take(&most, limit_rows[k].field, item, true, &err) >= 0)
                        continue;
                (void) snprintf(at, sizeof(at), "/%s/%u", place, i);
                (void) verify_wrong(fault, field_of(path, at, limit_rows[k].name),
                                    "%s, the most that a command of the tests may have by their "
                                    "policy",
                                    err.text);
                return -EPERM;
        }
        return 0;
}

/*
 * Of the other forms standard output alone is read: a runner that captures what the code under test prints does
 * so there, while standard error is inherited by compilers, and by that code. On one pipe it could put the
 * start of a line of its own before a runner's "not ok".
 */
static bool reads_errors(VerifyParse parse) {
        static const uint32_t told_there =
                BIT(PARSE_EXIT) | BIT(PARSE_COUNTS) | BIT(PARSE_UNITTEST) | BIT(PARSE_JEST);

        return told_there & BIT(parse);
}

/* Of two limits the tighter; 0: there is none */
static uint64_t tighter(uint64_t one, uint64_t other) {
        return one == 0 || (other != 0 && other < one) ? other : one;
}

CommandSpec verify_command_spec(const VerifyCommand *row, const JailLimits *limits) {
        CommandSpec spec = COMMAND_SPEC_EMPTY;

        spec.argv = row->argv;
        spec.cwd = row->cwd;
        spec.alone = true; /* a daemon would write into the next command's results */
        if (reads_errors(row->parse))
                spec.stdio[2] = STDIO_MERGE;
        if (row->parse != PARSE_EXIT)
                spec.output_keep = RUN_OUTPUT_KEEP;
        spec.wall_usec =
                tighter(tighter(row->wall_usec, limits->command_wall_usec), limits->wall_usec);
        spec.cpu_usec = tighter(row->cpu_usec, limits->command_cpu_usec);
        spec.output_max = tighter(row->output_max, limits->output_max);
        spec.narrow.memory_bytes = tighter(row->narrow.memory_bytes, limits->command.memory_bytes);
        spec.narrow.pids = (uint32_t) tighter(row->narrow.pids, limits->command.pids);
        return spec;
}

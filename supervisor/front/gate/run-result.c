/*
 * run-result: see run-result.h.
 */
#include "supervisor/front/gate/run-result.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"

RunResult *run_result_new(void) {
        return calloc(1, sizeof(RunResult));
}

static void command_deinit(RunCommand *command) {
        for (size_t i = 0; i < command->n_tests; i++)
                free(command->tests[i].name);
        free(command->tests);
        free(command->output);
        json_free(command->samples);
}

RunResult *run_result_free(RunResult *result) {
        if (!result)
                return NULL;
        for (unsigned i = 0; i < result->n; i++)
                command_deinit(&result->commands[i]);
        free(result);
        return NULL;
}

RunCommand *run_result_add(RunResult *result, const VerifyCommand *command) {
        RunCommand *row;

        if (result->n == VERIFY_COMMANDS_MAX)
                return NULL;
        row = &result->commands[result->n++];
        (void) snprintf(row->id, sizeof(row->id), "%s", command->id);
        row->parse = command->parse;
        row->planned = RUN_NO_PLAN;
        for (unsigned i = 0, n = 0; i < command->n_reports && n < RUN_REPORTS_MAX; i++)
                n += (unsigned) snprintf(row->reports + n, RUN_REPORTS_MAX - n, "%s%s",
                                         i > 0 ? ", " : "", command->reports[i]);
        return row;
}

static int add_test(RunCommand *command, const char *name, uint32_t status) {
        char *copy;

        if (command->n_tests == RUN_TESTS_MAX) {
                command->names_cut = true;
                return 0;
        }
        if (command->n_tests == command->room) {
                size_t room = command->room ? command->room * 2 : 64;
                RunTest *more = realloc(command->tests, room * sizeof(*more));

                if (!more)
                        return -ENOMEM;
                command->tests = more;
                command->room = room;
        }
        copy = escape_new(name, RUN_NAME_MAX);
        if (!copy)
                return -ENOMEM;
        command->tests[command->n_tests++] = (RunTest){ copy, status, WHY_UNKNOWN };
        return 0;
}

/* It follows the test, soon: the search begins at the end. Of several reasons the last one holds. */
static int take_why(RunCommand *command, const char *name, uint32_t why) {
        autofree char *kept = NULL;

        if (why == WHY_UNKNOWN || why >= _TEST_WHY_MAX || command->whys >= RUN_WHYS_MAX)
                return 0;
        command->whys++;
        kept = escape_new(name, RUN_NAME_MAX);
        if (!kept)
                return -ENOMEM;
        for (size_t i = command->n_tests; i-- > 0;)
                if (command->tests[i].status == TEST_FAILED &&
                    strcmp(command->tests[i].name, kept) == 0) {
                        command->tests[i].why = why;
                        return 0;
                }
        return 0;
}

int run_command_record(RunCommand *command, const Record *record) {
        switch (record->head.kind) {
        case RECORD_TEST:
                if (record->head.flags < TEST_PASSED || record->head.flags > TEST_SKIPPED)
                        return 0;
                return add_test(command, record->data, record->head.flags);
        case RECORD_WHY:
                return take_why(command, record->data, record->head.flags);
        case RECORD_COUNTS:
                command->passed = record->head.a >> 32;
                command->failed = (uint32_t) record->head.a;
                command->skipped = record->head.b >> 32;
                command->planned = (uint32_t) record->head.b;
                return 0;
        case RECORD_DONE:
                if (record->head.flags & 1)
                        command->names_cut = true;
                command->reports_read = record->head.a;
                command->reports_old = record->head.b;
                return 0;
        default:
                return 0;
        }
}

/* Where they came apart standard error goes first: what the runner says last is its result. NULL: no memory */
static char *output_of(const CommandEnd *end) {
        autofree char *out = command_output(end, 0), *errors = command_output(end, 1);
        Buf text = BUF_EMPTY(8 * (size_t) INIT_KEEP_MAX);

        if (!out || !errors || !*errors)
                return TAKE_PTR(out);
        if (buf_printf(&text, "%s%s%s", errors, strchr(errors, 0)[-1] == '\n' ? "" : "\n", out) <
            0) {
                buf_deinit(&text);
                return NULL;
        }
        return buf_take(&text);
}

void run_command_end(RunCommand *command, const CommandEnd *end) {
        command->cause = end->cause;
        command->code = end->code;
        command->signal = end->signal;
        command->step = end->step;
        command->hits = end->hits;
        command->wall_usec = end->wall_usec;
        command->user_usec = end->user_usec;
        command->sys_usec = end->sys_usec;
        command->memory_peak = end->memory_peak;
        command->pids_peak = end->pids_peak;
        command->output_cut = end->cut_at[0] < end->kept[0];
        if (end->output[0] >= 0)
                command->output = output_of(end);
}

cJSON *run_command_json(const RunCommand *command) {
        const struct {
                const char *name;
                uint64_t value;
        } rows[] = {
                { "wall_usec", command->wall_usec }, { "user_usec", command->user_usec },
                { "sys_usec", command->sys_usec },   { "memory_peak", command->memory_peak },
                { "pids_peak", command->pids_peak }, { "passed", command->passed },
                { "failed", command->failed },       { "skipped", command->skipped },
        };
        cJSON *json = cJSON_CreateObject(), *hits;

        json_add_text(json, "id", command->id);
        json_add_text(json, "cause", cause_name(command->cause));
        json_add_consume(json, "code", cJSON_CreateNumber(command->code));
        if (command->signal)
                json_add_number(json, "signal", (uint64_t) command->signal);
        hits = json_add_array(json, "hits");
        for (unsigned i = 0; i < _HIT_MAX; i++)
                if (command->hits & BIT(i))
                        json_push_text(hits, hit_name(i));
        for (unsigned i = 0; i < ELEMENTS(rows); i++)
                json_add_number(json, rows[i].name, rows[i].value);
        return json;
}

bool run_command_is_good(const RunCommand *command) {
        return command->cause == CAUSE_EXITED && command->code == 0;
}

const RunCommand *run_command_find(const RunResult *result, const char *id) {
        for (unsigned i = 0; i < result->n; i++)
                if (strcmp(result->commands[i].id, id) == 0)
                        return &result->commands[i];
        return NULL;
}

static cJSON *command_json(const RunCommand *command) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *tests[TEST_SKIPPED + 1] = { 0 };

        json_add_text(json, "id", command->id);
        json_add_number(json, "parse", command->parse);
        json_add_number(json, "passed", command->passed);
        json_add_number(json, "failed", command->failed);
        json_add_number(json, "skipped", command->skipped);
        json_add_bool(json, "names_cut", command->names_cut);
        tests[TEST_PASSED] = json_add_array(json, "tests_passed");
        tests[TEST_FAILED] = json_add_array(json, "tests_failed");
        tests[TEST_SKIPPED] = json_add_array(json, "tests_skipped");
        if (!tests[TEST_PASSED] || !tests[TEST_FAILED] || !tests[TEST_SKIPPED])
                return NULL;
        for (size_t i = 0; i < command->n_tests; i++)
                if (!json_push_text(tests[command->tests[i].status], command->tests[i].name))
                        return NULL;
        return TAKE_PTR(json);
}

cJSON *run_result_json(const RunResult *result) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *commands = json_add_array(json, "commands");

        if (!commands)
                return NULL;
        for (unsigned i = 0; i < result->n; i++)
                if (!json_push_consume(commands, command_json(&result->commands[i])))
                        return NULL;
        return TAKE_PTR(json);
}

static int read_tests(RunCommand *command, const cJSON *names, uint32_t status) {
        const cJSON *name;

        cJSON_ArrayForEach(name, names) {
                if (!cJSON_IsString(name))
                        return -EINVAL;
                if (add_test(command, name->valuestring, status) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int read_command(RunResult *result, const cJSON *json) {
        VerifyCommand row = { 0 };
        const char *id = json_text(json, "id");
        uint64_t parse = 0;
        RunCommand *command;
        int r;

        if (!id || json_number(json, "parse", &parse) < 0 || parse >= _VERIFY_PARSE_MAX)
                return -EINVAL;
        (void) snprintf(row.id, sizeof(row.id), "%s", id);
        row.parse = (VerifyParse) parse;
        command = run_result_add(result, &row);
        if (!command || json_number(json, "passed", &command->passed) < 0 ||
            json_number(json, "failed", &command->failed) < 0 ||
            json_number(json, "skipped", &command->skipped) < 0)
                return -EINVAL;
        command->names_cut = json_true(json, "names_cut");
        r = read_tests(command, json_get(json, "tests_passed"), TEST_PASSED);
        if (r == 0)
                r = read_tests(command, json_get(json, "tests_failed"), TEST_FAILED);
        if (r == 0)
                r = read_tests(command, json_get(json, "tests_skipped"), TEST_SKIPPED);
        return r;
}

int run_result_from_json(const cJSON *json, RunResult **ret) {
        SCOPED(run_result_free) RunResult *result = run_result_new();
        const cJSON *command;

        if (!result)
                return -ENOMEM;
        cJSON_ArrayForEach(command, json_get(json, "commands")) {
                int r = read_command(result, command);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(result);
        return 0;
}

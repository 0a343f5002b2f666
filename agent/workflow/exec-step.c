/*
 * exec-step. Only the arguments of a list are templates: text from a model that went into a shell line
 * would be run by the shell.
 */
#include "agent/workflow/exec-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/tools/shell.h"
#include "agent/workflow/loader.h"
#include "base/units.h"

static int load_argument(Loader *loader, const cJSON *json, const char *path, Step *step,
                         Error *err) {
        int r;

        if (!cJSON_IsString(json))
                return workflow_fault(err, path, "", "a string is needed");
        r = template_parse(json->valuestring, loader->workflow->expressions, path,
                           &step->arguments[step->n_arguments], err);
        if (r >= 0)
                step->n_arguments++;
        return r;
}

static int load_list(Loader *loader, const cJSON *list, const char *path, Step *step, Error *err) {
        const cJSON *json;
        int r = 0, n = cJSON_GetArraySize(list);

        if (n < 1 || n > WORKFLOW_ARGUMENTS_MAX)
                return workflow_fault(err, path, "exec", "1 to %d arguments are needed",
                                      WORKFLOW_ARGUMENTS_MAX);
        cJSON_ArrayForEach(json, list) {
                char inner[WORKFLOW_PATH_MAX];

                (void) snprintf(inner, sizeof(inner), "%s/exec/%u", path, step->n_arguments);
                r = load_argument(loader, json, inner, step, err);
                if (r < 0)
                        break;
        }
        return r;
}

/* {"argv": expression}: a list of strings that the expression gives. */
static int load_expression(Loader *loader, const cJSON *exec, const char *path, Step *step,
                           Error *err) {
        char inner[WORKFLOW_PATH_MAX];
        int r;

        (void) snprintf(inner, sizeof(inner), "%s/exec", path);
        if (cJSON_GetArraySize(exec) != 1 || !json_get(exec, "argv"))
                return workflow_fault(err, inner, "argv", "it is the one key that exec has here");
        r = loader_expression(loader, exec, "argv", inner, err);
        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        return 0;
}

int exec_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const cJSON *exec = json_get(json, "exec");

        if (cJSON_IsObject(exec))
                return load_expression(loader, exec, path, step, err);
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): what is owned is a list of pointers */
        step->arguments = calloc(WORKFLOW_ARGUMENTS_MAX, sizeof(*step->arguments));
        if (!step->arguments)
                return error_set(err, -ENOMEM, "%s", path);
        if (cJSON_IsArray(exec))
                return load_list(loader, exec, path, step, err);
        if (!cJSON_IsString(exec) || strstr(exec->valuestring, "{{"))
                return workflow_fault(
                        err, path, "exec",
                        "a shell line without templates, a list of arguments or {\"argv\": "
                        "expression} is needed");
        step->shell = true;
        return load_argument(loader, exec, path, step, err);
}

static int add_list(Engine *engine, const Step *step, cJSON *params, Error *err) {
        cJSON *list = NULL;
        const cJSON *item;
        bool fits = true;
        int r = engine_eval(engine, step->condition, &list, err);

        if (r < 0)
                return r;
        cJSON_ArrayForEach(item, list) {
                fits &= cJSON_IsString(item);
        }
        if (!json_add_consume(params, "argv", list))
                return engine_no_memory(engine, err);
        if (fits && cJSON_IsArray(list) && list->child)
                return 0;
        (void) error_say(err, -EINVAL, "step %s: what argv gives is no list of strings",
                         engine->path);
        return engine_fail(engine, CAUSE_EXPRESSION, -EINVAL);
}

static int add_arguments(Engine *engine, const Step *step, cJSON *params, Error *err) {
        cJSON *list = step->shell ? NULL : json_add_array(params, "argv");

        for (unsigned i = 0; i < step->n_arguments; i++) {
                autofree char *text = NULL;
                int r = engine_fill(engine, step->arguments[i], &text, err);

                if (r < 0)
                        return r;
                if (step->shell)
                        (void) json_add_text(params, "command", text);
                else
                        (void) json_push_text(list, text);
        }
        return 0;
}

/* Was there more than the supervisor keeps of one command? */
static bool is_cut(const cJSON *record) {
        const cJSON *stream = json_get(json_get(record, "output"), "stdout");
        uint64_t seen = 0, kept = 0;

        return json_number(stream, "seen", &seen) == 0 && json_number(stream, "kept", &kept) == 0 &&
               seen > kept;
}

static void add_record(cJSON *output, const cJSON *record) {
        static const char *const copied[] = { "cause", "code", "signal", "wall_usec" };

        for (unsigned i = 0; i < ELEMENTS(copied); i++)
                if (json_get(record, copied[i]))
                        (void) json_add_consume(output, copied[i],
                                                cJSON_Duplicate(json_get(record, copied[i]), true));
}

int exec_step_output(Engine *engine, LinkAnswer *answer, cJSON **ret_output, Error *err) {
        ToolRun run = { .output = OUTPUT_RULES_DEFAULT, .result = BUF_EMPTY(TOOL_RESULT_MAX) };
        SCOPED(json_free) cJSON *output = cJSON_CreateObject();
        autofree char *owned = NULL;
        const char *text = shell_output(answer, &owned);
        int r = shell_describe(&run, answer->result, text);

        add_record(output, answer->result);
        (void) json_add_bool(output, "ok", !run.failed);
        (void) json_add_bool(output, "cut", is_cut(answer->result));
        if ((r >= 0 || r == -ENOBUFS) && run.result.data && json_add_text(output, "output", text) &&
            json_add_text(output, "digest", run.result.data))
                *ret_output = TAKE_PTR(output);
        buf_deinit(&run.result);
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

int exec_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        int r;

        r = step->condition == EXPRESSION_NONE ? add_arguments(engine, step, params, err)
                                               : add_list(engine, step, params, err);
        if (r < 0)
                return r;
        if (step->timeout_usec > 0)
                (void) json_add_number(params, "timeout_usec", step->timeout_usec);
        if (engine->fork > 0)
                (void) json_add_number(params, "fork", engine->fork);
        (void) json_add_text(params, "path", engine->path);
        r = engine_call(engine, "exec", TAKE_PTR(params), &answer, err);
        if (r < 0)
                return r;
        return exec_step_output(engine, &answer, ret_output, err);
}

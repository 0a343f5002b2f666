/*
 * find: one call of the task socket, printed.
 */
#include "agent/tools/find.h"

#define FIND_SHOWN_MAX 200

static int show(ToolRun *run, const cJSON *result) {
        const cJSON *match;
        unsigned n = 0;
        int r = 0;

        cJSON_ArrayForEach(match, json_get(result, "matches")) {
                const char *path = json_text(match, "path"), *text = json_text(match, "text");
                uint64_t line;

                if (r < 0 || !path)
                        continue;
                if (++n > FIND_SHOWN_MAX)
                        return buf_printf(&run->result, "[… more than %d; narrow the search]\n",
                                          FIND_SHOWN_MAX);
                if (json_number(match, "line", &line) == 0 && line > 0)
                        r = buf_printf(&run->result, "%s:%llu:%s\n", path,
                                       (unsigned long long) line, text ? text : "");
                else
                        r = buf_printf(&run->result, "%s\n", path);
        }
        if (r >= 0 && n == 0)
                r = buf_printf(&run->result, "(no match)\n");
        if (r >= 0 && json_true(result, "cut"))
                r = buf_printf(&run->result, "[… there are more; narrow the search]\n");
        return r;
}

static int search(ToolRun *run, const char *kind, const cJSON *arguments, Error *err) {
        static const char *const texts[] = { "pattern", "path", "glob" };
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *params = cJSON_CreateObject();
        int r;

        (void) json_add_text(params, "kind", kind);
        for (unsigned i = 0; i < ELEMENTS(texts); i++)
                if (json_text(arguments, texts[i]))
                        (void) json_add_text(params, texts[i], json_text(arguments, texts[i]));
        if (json_true(arguments, "ignore_case"))
                (void) json_add_bool(params, "ignore_case", true);
        r = tool_call(run, "search", params, &answer, err);
        if (r == LINK_E_REFUSED)
                return tool_refuse(run, &answer, err);
        return r < 0 ? r : show(run, answer.result);
}

int tool_glob(ToolRun *run, const cJSON *arguments, Error *err) {
        return search(run, "glob", arguments, err);
}

int tool_grep(ToolRun *run, const cJSON *arguments, Error *err) {
        return search(run, "grep", arguments, err);
}

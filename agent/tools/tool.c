/*
 * tool: the table, and the checks in front of every handler.
 *
 * What models get wrong is answered the way they can mend it: the field by its path, the sentence, the
 * names that exist. Nothing is guessed, with one exception: a null for an optional parameter counts as
 * absent, because several local models fill all parameters.
 */
#include "agent/tools/tool.h"

#include <stdio.h>
#include <string.h>

#include "agent/tools/ask.h"
#include "agent/tools/edit.h"
#include "agent/tools/files.h"
#include "agent/tools/find.h"
#include "agent/tools/shell.h"
#include "base/schema.h"

static const Tool tools[] = {
        { "bash",
          "Run a shell command in the task's jail, in /work. No network. Output and errors come "
          "together, with the exit code; long output is cut in the middle.",
          "{\"type\":\"object\",\"required\":[\"command\"],\"additionalProperties\":false,"
          "\"properties\":{\"command\":{\"type\":\"string\",\"minLength\":1},"
          "\"timeout\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":3600,"
          "\"description\":\"seconds, 120 if not given\"}}}",
          tool_bash, false },
        { "read",
          "Read a text file with line numbers. Paths are relative to /work. Long files come in "
          "parts: "
          "use offset and limit.",
          "{\"type\":\"object\",\"required\":[\"path\"],\"additionalProperties\":false,"
          "\"properties\":{\"path\":{\"type\":\"string\",\"minLength\":1},"
          "\"offset\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"first line, from 1\"},"
          "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"most lines, 1000 if not "
          "given\"}}}",
          tool_read, false },
        { "write",
          "Create a file or replace all of it. For a change to a file that exists use edit.",
          "{\"type\":\"object\",\"required\":[\"path\",\"content\"],\"additionalProperties\":false,"
          "\"properties\":{\"path\":{\"type\":\"string\",\"minLength\":1},"
          "\"content\":{\"type\":\"string\"}}}",
          tool_write, false },
        { "edit",
          "Replace old_string by new_string in a file. old_string must be the exact text of the "
          "file "
          "(without line numbers) and occur exactly once, unless replace_all is true.",
          "{\"type\":\"object\",\"required\":[\"path\",\"old_string\",\"new_string\"],"
          "\"additionalProperties\":false,\"properties\":{\"path\":{\"type\":\"string\","
          "\"minLength\":1},\"old_string\":{\"type\":\"string\"},\"new_string\":{\"type\":"
          "\"string\"},"
          "\"replace_all\":{\"type\":\"boolean\"}}}",
          tool_edit, false },
        { "glob", "List files whose path matches a pattern such as src/**/*.c, relative to /work.",
          "{\"type\":\"object\",\"required\":[\"pattern\"],\"additionalProperties\":false,"
          "\"properties\":{\"pattern\":{\"type\":\"string\",\"minLength\":1},"
          "\"path\":{\"type\":\"string\",\"description\":\"directory to search, /work if not "
          "given\"}}}",
          tool_glob, false },
        { "grep", "Search file contents for an extended regular expression. Gives path:line:text.",
          "{\"type\":\"object\",\"required\":[\"pattern\"],\"additionalProperties\":false,"
          "\"properties\":{\"pattern\":{\"type\":\"string\",\"minLength\":1},"
          "\"path\":{\"type\":\"string\",\"description\":\"directory or file, /work if not "
          "given\"},"
          "\"glob\":{\"type\":\"string\",\"description\":\"only files that match, e.g. *.c\"},"
          "\"ignore_case\":{\"type\":\"boolean\"}}}",
          tool_grep, false },
        { "verify",
          "Have the supervisor judge the present state of /work: it applies your changes to a "
          "clean "
          "copy and runs the project's tests. The number of verifies is limited.",
          "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}", tool_verify,
          false },
        { "ask",
          "Ask the person who gave you the task, and wait for the answer, which may take days. "
          "Only "
          "for what you cannot find out and must not guess.",
          "{\"type\":\"object\",\"required\":[\"question\"],\"additionalProperties\":false,"
          "\"properties\":{\"question\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8000},"
          "\"choices\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":20,\"uniqueItems\":true,"
          "\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":400},"
          "\"description\":\"the answers there may be; any text if not given\"}}}",
          tool_ask, true },
};

struct ToolBox {
        const Tool *items[ELEMENTS(tools)];
        unsigned n;
        cJSON *list; /* owned; what toolbox_describe() gives, same order */
};

ToolBox *toolbox_free(ToolBox *box) {
        if (box)
                json_free(box->list);
        free(box);
        return NULL;
}

static const Tool *find_tool(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(tools); i++)
                if (strcmp(tools[i].name, name) == 0)
                        return &tools[i];
        return NULL;
}

static int add_tool(ToolBox *box, const Tool *tool, Error *err) {
        cJSON *item, *schema = NULL;
        int r;

        r = json_parse(tool->schema, strlen(tool->schema), 0, &schema, err);
        if (r < 0)
                return error_add(err, r, "schema of tool %s", tool->name);
        item = json_push_consume(box->list, cJSON_CreateObject());
        (void) json_add_text(item, "name", tool->name);
        (void) json_add_text(item, "description", tool->description);
        if (!json_add_consume(item, "parameters", schema))
                return error_set(err, -ENOMEM, "tool %s", tool->name);
        box->items[box->n++] = tool;
        return 0;
}

/* " bash, read, …" for messages. */
static void names_of(const Tool *const *items, unsigned n, char *text, size_t size) {
        size_t used = 0;

        text[0] = '\0';
        for (unsigned i = 0; i < n && used < size; i++)
                used += (size_t) snprintf(text + used, size - used, "%s%s", i ? ", " : "",
                                          items[i]->name);
}

static int no_such_tool(const char *name, Error *err) {
        const Tool *all[ELEMENTS(tools)];
        char names[256];

        for (unsigned i = 0; i < ELEMENTS(tools); i++)
                all[i] = &tools[i];
        names_of(all, ELEMENTS(tools), names, sizeof(names));
        return error_say(err, -EINVAL, "\"%.64s\" is no tool; the tools are %s", name, names);
}

static bool has_tool(const ToolBox *box, const Tool *tool) {
        for (unsigned i = 0; i < box->n; i++)
                if (box->items[i] == tool)
                        return true;
        return false;
}

int toolbox_new(const cJSON *names, ToolBox **ret_box, Error *err) {
        SCOPED(toolbox_free) ToolBox *box = calloc(1, sizeof(*box));
        const cJSON *name;
        int r = 0;

        if (box)
                box->list = cJSON_CreateArray();
        if (!box || !box->list)
                return error_set(err, -ENOMEM, "tools of a role");
        for (unsigned i = 0; !names && i < ELEMENTS(tools) && r >= 0; i++)
                r = tools[i].by_name ? 0 : add_tool(box, &tools[i], err);
        cJSON_ArrayForEach(name, names) {
                const Tool *tool = find_tool(cJSON_IsString(name) ? name->valuestring : "");

                if (!tool)
                        return no_such_tool(cJSON_IsString(name) ? name->valuestring : "?", err);
                if (r >= 0 && !has_tool(box, tool))
                        r = add_tool(box, tool, err);
        }
        if (r < 0)
                return r;
        *ret_box = TAKE_PTR(box);
        return 0;
}

/* The tool of this name in the box, and its schema. */
static const Tool *pick(const ToolBox *box, const char *name, const cJSON **ret_schema) {
        for (unsigned i = 0; i < box->n; i++)
                if (strcmp(box->items[i]->name, name) == 0) {
                        *ret_schema =
                                json_get(cJSON_GetArrayItem(box->list, (int) i), "parameters");
                        return box->items[i];
                }
        return NULL;
}

bool toolbox_has(const ToolBox *box, const char *name) {
        const cJSON *schema;

        return pick(box, name, &schema) != NULL;
}

const cJSON *toolbox_describe(const ToolBox *box) {
        return box->list;
}

static int wrong_tool(const ToolBox *box, const char *name, ToolRun *run) {
        char names[256];

        names_of(box->items, box->n, names, sizeof(names));
        run->wrong = true;
        if (box->n == 0)
                return buf_printf(&run->result, "There is no tool \"%.64s\"; you have no tools.",
                                  name);
        return buf_printf(&run->result,
                          "There is no tool \"%.64s\". The tools are: %s. Call one of them by its "
                          "exact name.",
                          name, names);
}

static void drop_nulls(const cJSON *schema, cJSON *arguments) {
        const cJSON *required = json_get(schema, "required");
        cJSON *item = arguments->child;

        while (item) {
                cJSON *next = item->next;
                const cJSON *name;
                bool needed = false;

                cJSON_ArrayForEach(name, required) {
                        needed |= strcmp(name->valuestring, item->string) == 0;
                }
                if (cJSON_IsNull(item) && !needed)
                        json_free(cJSON_DetachItemViaPointer(arguments, item));
                item = next;
        }
}

/* Leaves *ret NULL and a result that says why where the arguments do not fit. */
static int read_arguments(const Tool *tool, const cJSON *schema, const ToolCall *call, ToolRun *run,
                          cJSON **ret) {
        SCOPED(json_free) cJSON *arguments = NULL;
        SchemaFault fault = { 0 };
        Error why = ERROR_EMPTY;
        const char *text = *call->arguments ? call->arguments : "{}";

        run->wrong = true;
        if (json_parse(text, strlen(text), 0, &arguments, &why) < 0)
                return buf_printf(&run->result,
                                  "The arguments of %s are not valid JSON: %s. You gave: %.200s\n"
                                  "Call %s again with one JSON object that fits: %s",
                                  tool->name, why.text, text, tool->name, tool->schema);
        if (cJSON_IsObject(arguments))
                drop_nulls(schema, arguments);
        if (schema_check(schema, arguments, &fault) != 0)
                return buf_printf(&run->result,
                                  "The arguments of %s do not fit: %s: %s. You gave: %.200s\n"
                                  "Call %s again with arguments that fit: %s",
                                  tool->name, *fault.path ? fault.path : "the whole", fault.text,
                                  text, tool->name, tool->schema);
        run->wrong = false;
        *ret = TAKE_PTR(arguments);
        return 0;
}

int toolbox_call(const ToolBox *box, const ToolCall *call, ToolRun *run, Error *err) {
        SCOPED(json_free) cJSON *arguments = NULL;
        const cJSON *schema = NULL;
        const Tool *tool = pick(box, call->name, &schema);
        int r;

        run->result = BUF_EMPTY(TOOL_RESULT_MAX);
        if (!tool) {
                r = wrong_tool(box, call->name, run);
        } else {
                r = read_arguments(tool, schema, call, run, &arguments);
                if (r >= 0 && arguments)
                        r = tool->run(run, arguments, err);
        }
        if (r == -ENOBUFS) /* what fits is there; the model is told that it is not all */
                r = 0;
        return r < 0 && err && !err->code ? error_set(err, r, "tool %s", call->name) : r;
}

int tool_call(const ToolRun *run, const char *method, cJSON *params_consume, LinkAnswer *ret,
              Error *err) {
        cJSON *params = params_consume ? params_consume : cJSON_CreateObject();

        if (run->fork > 0 && !json_add_number(params, "fork", run->fork)) {
                json_free(params);
                return error_set(err, -ENOMEM, "%s", method);
        }
        return link_call(run->link, method, params, ret, err);
}

int tool_refuse(ToolRun *run, const LinkAnswer *answer, const Error *reason) {
        run->failed = true;
        run->limit = strcmp(answer->code, "limit") == 0;
        return buf_printf(&run->result, "%s", reason->text);
}

char *tool_path(const char *path) {
        char *absolute = NULL;

        if (path[0] == '/')
                return strdup(path);
        return asprintf(&absolute, "/work/%s", path) < 0 ? NULL : absolute;
}

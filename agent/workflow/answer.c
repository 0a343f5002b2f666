/*
 * answer: fences off, JSON in, schema over it.
 */
#include "agent/workflow/answer.h"

#include <stdio.h>
#include <string.h>

#include "base/schema.h"

/* The part of @text between the lines of one fence; all of it, blanks aside, where there is none. */
static const char *unfence(const char *text, size_t *ret_n) {
        const char *start = text + strspn(text, " \t\r\n"), *line, *end;

        *ret_n = strlen(start);
        while (*ret_n > 0 && strchr(" \t\r\n", start[*ret_n - 1]))
                (*ret_n)--;
        if (*ret_n < 6 || strncmp(start, "```", 3) != 0 ||
            strncmp(start + *ret_n - 3, "```", 3) != 0)
                return start;
        line = memchr(start, '\n', *ret_n);
        end = start + *ret_n - 3;
        if (!line || line >= end)
                return start;
        *ret_n = (size_t) (end - line - 1);
        return line + 1;
}

static int plain_text(const char *text, cJSON **ret_output) {
        SCOPED(json_free) cJSON *output = cJSON_CreateObject();

        if (!json_add_text(output, "text", text))
                return -ENOMEM;
        *ret_output = TAKE_PTR(output);
        return 0;
}

static int as_string(const char *text, const cJSON *schema, cJSON **ret_output) {
        SCOPED(json_free) cJSON *string = cJSON_CreateString(text);
        SchemaFault fault = { 0 };

        if (!string)
                return -ENOMEM;
        if (schema_check(schema, string, &fault) != 0)
                return ANSWER_E_MISFIT;
        *ret_output = TAKE_PTR(string);
        return 0;
}

int answer_read(const char *text, const cJSON *schema, cJSON **ret_output, char *fault) {
        SCOPED(json_free) cJSON *value = NULL;
        SchemaFault misfit = { 0 };
        Error why = ERROR_EMPTY;
        const char *start;
        size_t n;
        int r;

        if (!schema)
                return plain_text(text, ret_output);
        start = unfence(text, &n);
        r = json_parse(start, n, 0, &value, &why);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                (void) snprintf(fault, ERROR_TEXT_MAX, "it is no JSON: %.400s", why.text);
                return as_string(text, schema, ret_output);
        }
        if (schema_check(schema, value, &misfit) != 0) {
                (void) snprintf(fault, ERROR_TEXT_MAX, "%s: %.240s",
                                *misfit.path ? misfit.path : "the whole", misfit.text);
                return ANSWER_E_MISFIT;
        }
        *ret_output = TAKE_PTR(value);
        return 0;
}

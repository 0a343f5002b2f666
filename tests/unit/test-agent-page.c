/* warder-agent(7): its table of methods and the table in the code are the same, row by row. */
#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/json.h"
#include "supervisor/front/tasks/agent-methods.h"
#include "tests/tap.h"

#define PAGE_MAX (1024 * 1024)
#define HEAD     "# METHODS\n"
#define TABLE    "[[ *Method*\n:- *Parameters*\n"

static bool is_required(const cJSON *schema, const char *name) {
        const cJSON *item;

        cJSON_ArrayForEach(item, json_get(schema, "required")) {
                if (strcmp(item->valuestring, name) == 0)
                        return true;
        }
        return false;
}

/* As the page has to have it: "|  *open*\n:  path flags [mode]\n" */
static void write_row(const AgentMethod *method, Buf *row) {
        SCOPED(json_free) cJSON *schema = NULL;
        const cJSON *property;
        const char *between = "";

        is_number(json_parse(method->params, strlen(method->params), 0, &schema, NULL), 0,
                  "its parameters are JSON Schema");
        (void) buf_printf(row, "|  *%s*\n:  ", method->name);
        cJSON_ArrayForEach(property, json_get(schema, "properties")) {
                const char *name = property->string;

                (void) buf_printf(row, is_required(schema, name) ? "%s%s" : "%s[%s]", between,
                                  name);
                between = " ";
        }
        (void) buf_append(row, "\n", 1);
}

static char *read_page(void) {
        const char *top = getenv("top_srcdir");
        char path[4096];
        autoclose int fd = -EBADF;
        char *text = NULL;
        size_t n;

        (void) snprintf(path, sizeof(path), "%s/man/warder-agent.7.scd", top ? top : ".");
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && fd_read_all(fd, PAGE_MAX, &text, &n) == 0 ? text : NULL;
}

int main(void) {
        autofree char *page = read_page();
        const char *at = page ? strstr(page, HEAD) : NULL;
        const AgentMethod *method;

        at = at ? strstr(at, TABLE) : NULL;
        ok(at != NULL, "the page has a table of methods");
        at = at ? at + strlen(TABLE) : "";
        for (unsigned i = 0; (method = agent_method_at(i)); i++) {
                Buf row = BUF_EMPTY(4096);
                char heading[64];

                write_row(method, &row);
                ok(strncmp(at, row.data, row.len) == 0, "%s stands there as it is", method->name);
                if (strncmp(at, row.data, row.len) == 0)
                        at += row.len;
                else
                        tap_show("the table needs", row.data);
                (void) snprintf(heading, sizeof(heading), "\n*%s*\n", method->name);
                ok(strstr(at, heading) != NULL, "and is explained");
                buf_deinit(&row);
        }
        ok(*at == '\n', "and there is no other");
        return tap_end();
}

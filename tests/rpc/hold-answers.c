/*
 * hold-answers: hold what a supervisor says against what it says of itself.
 *
 *   hold-answers < MESSAGES
 *
 * Each line on input is {"mark", "method", "result"} or {…, "error"} (an answer), or {…, "params"} (a notification); for each one
 * line is written: the mark, a space, and what is not as rpc.discover says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/schema.h"
#include "supervisor/front/protocol.h"

static int index_of(const cJSON *list, const char *name) {
        int i = 0;
        const cJSON *item;

        cJSON_ArrayForEach(item, list) {
                const char *own = json_text(item, "name");

                if (own && name && strcmp(own, name) == 0)
                        return i;
                i++;
        }
        return -1;
}

/* References lead into the document: so it is the schema, for a moment, with a reference to what is meant */
static void hold(cJSON *document, const char *pointer, const cJSON *value, Buf *said) {
        SchemaFault fault;

        json_add_text(document, "$ref", pointer);
        if (schema_check(document, value, &fault) < 0)
                (void) buf_printf(said, "%s: %s", *fault.path ? fault.path : "the whole",
                                  fault.text);
        cJSON_DeleteItemFromObjectCaseSensitive(document, "$ref");
}

static void hold_error(const cJSON *method, const cJSON *error, Buf *said) {
        const char *word = json_text(json_get(error, "data"), "code");
        const cJSON *code = json_get(error, "code"), *item;

        if (!word || !code || code->valuedouble != -32000) /* the standard's own */
                return;
        cJSON_ArrayForEach(item,
                           json_at(method, "/errors/0/data/code")) if (strcmp(item->valuestring,
                                                                              word) == 0) return;
        (void) buf_printf(said, "it is refused with \"%s\", which is not among its errors: %.300s",
                          word, json_text(error, "message"));
}

static void hold_message(cJSON *document, const cJSON *message, Buf *said) {
        bool is_note = json_get(message, "params");
        const char *list = is_note ? "x-notifications" : "methods",
                   *name = json_text(message, "method");
        int i = index_of(json_get(document, list), name);
        char pointer[64];

        if (i < 0) {
                if (!json_get(message, "error")) /* there is no such method, and it says so */
                        (void) buf_printf(said, "is not described");
                return;
        }
        if (json_get(message, "error")) {
                hold_error(cJSON_GetArrayItem(json_get(document, list), i),
                           json_get(message, "error"), said);
                return;
        }
        (void) snprintf(pointer, sizeof pointer, "#/%s/%d%s/schema", list, i,
                        is_note ? "" : "/result");
        hold(document, pointer, json_get(message, is_note ? "params" : "result"), said);
}

int main(void) {
        SCOPED(json_free) cJSON *document = NULL;
        autofree char *line = NULL;
        size_t size = 0;
        ssize_t n;

        if (json_parse(protocol_document, strlen(protocol_document), 0, &document, NULL) < 0)
                return 2;
        while ((n = getline(&line, &size, stdin)) > 0) {
                SCOPED(json_free) cJSON *message = NULL;
                autobuf Buf said = BUF_EMPTY(4096);

                if (json_parse(line, (size_t) n, 0, &message, NULL) <
                    0) /* an empty one, or half of one */
                        continue;
                hold_message(document, message, &said);
                (void) printf("%s %s\n", json_text(message, "mark"), said.len > 0 ? said.data : "");
                (void) fflush(stdout);
        }
        return 0;
}

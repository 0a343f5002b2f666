/*
 * prompt: what every role is told beside its own instructions. Facts only: what holds here whatever the
 * model does.
 */
#include "agent/workflow/prompt.h"

#include <stdio.h>
#include <string.h>

#define PROMPT_MAX (512 * 1024)

static const char place[] =
        "\n\n# Where you work\n"
        "The project is in /work, inside a jail without a network. Paths of tools are relative to "
        "/work. What you change there is all that counts: a supervisor outside of the jail turns "
        "it "
        "into a patch, applies the patch to a clean copy, puts protected files (tests and what the "
        "project's owner named) back as they were, and runs the tests. Its verdict decides; your "
        "own "
        "statement that something works does not. A patch that changes protected files is judged "
        "as "
        "tampered. Commands, verifies and time are limited.\n";

static int add_tree(Buf *buf, const cJSON *tree) {
        const cJSON *path;
        size_t start = buf->len;
        int r;

        if (cJSON_GetArraySize(tree) == 0)
                return 0;
        r = buf_printf(buf, "\n# Files of /work\n");
        cJSON_ArrayForEach(path, tree) {
                if (r < 0 || !cJSON_IsString(path))
                        return r;
                if (buf->len - start > PROMPT_TREE_MAX)
                        return buf_printf(buf, "… (more: use glob)\n");
                r = buf_printf(buf, "%s\n", path->valuestring);
        }
        return r;
}

static int add_answer(Buf *buf, const cJSON *schema) {
        autofree char *text = NULL;

        if (!schema)
                return buf_printf(buf,
                                  "\n# Your answer\nWork with the tools. When there is nothing "
                                  "more to do, answer in a few sentences without a tool call.\n");
        text = json_print(schema);
        if (!text)
                return -ENOMEM;
        return buf_printf(buf,
                          "\n# Your answer\nWhen you are done, answer without a tool call with one "
                          "JSON object and nothing else, that fits this JSON Schema:\n%s\n",
                          text);
}

int prompt_system(const Role *role, const cJSON *schema, const cJSON *info, char **ret_text) {
        Buf buf = BUF_EMPTY(PROMPT_MAX);
        int r;

        r = buf_append(&buf, role->instructions, strlen(role->instructions));
        if (r >= 0)
                r = buf_append(&buf, place, strlen(place));
        if (r >= 0)
                r = add_tree(&buf, json_get(info, "tree"));
        if (r >= 0)
                r = add_answer(&buf, schema);
        if (r >= 0) {
                *ret_text = buf_take(&buf);
                r = *ret_text ? 0 : -ENOMEM;
        }
        buf_deinit(&buf);
        return r;
}

char *prompt_misfit(const char *fault) {
        char *text = NULL;

        if (asprintf(&text,
                     "Your answer does not fit: %s\nAnswer again with one JSON object and nothing "
                     "else, that fits the schema of the system prompt.",
                     fault) < 0)
                return NULL;
        return text;
}

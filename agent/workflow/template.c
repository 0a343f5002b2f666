/*
 * template: a list of parts, each a literal text or the number of an expression.
 */
#include "agent/workflow/template.h"

#include <string.h>

#include "base/buf.h"

typedef struct Part {
        char *literal; /* owned; NULL: an expression */
        unsigned id;
} Part;

struct Template {
        Part *parts; /* owned */
        unsigned n;
};

Template *template_free(Template *template) {
        for (unsigned i = 0; template && i < template->n; i++)
                free(template->parts[i].literal);
        if (template)
                free(template->parts);
        free(template);
        return NULL;
}

static int add_part(Template *template, Part part) {
        Part *grown = reallocarray(template->parts, template->n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        template->parts = grown;
        grown[template->n++] = part;
        return 0;
}

static int add_literal(Template *template, const char *text, size_t n) {
        char *copy;
        int r;

        if (n == 0)
                return 0;
        copy = strndup(text, n);
        if (!copy)
                return -ENOMEM;
        r = add_part(template, (Part){ .literal = copy });
        if (r < 0)
                free(copy);
        return r;
}

/* The end of an expression: "}}" outside of a string. NULL where there is none. */
static const char *find_end(const char *at) {
        bool quoted = false;

        for (; *at; at++) {
                if (quoted && *at == '\\' && at[1])
                        at++;
                else if (*at == '"')
                        quoted = !quoted;
                else if (!quoted && at[0] == '}' && at[1] == '}')
                        return at;
        }
        return NULL;
}

int template_parse(const char *text, ExpressionSet *set, const char *path, Template **ret_template,
                   Error *err) {
        SCOPED(template_free) Template *template = calloc(1, sizeof(*template));
        int r = template ? 0 : -ENOMEM;

        while (r >= 0) {
                const char *start = strstr(text, "{{");
                const char *end;

                r = add_literal(template, text, start ? (size_t) (start - text) : strlen(text));
                if (r < 0 || !start)
                        break;
                end = find_end(start + 2);
                if (!end)
                        return error_say(err, -EINVAL, "%s: \"{{\" has no \"}}\"", path);
                r = expressions_add(set, start + 2, (size_t) (end - start - 2), path, err);
                if (r < 0)
                        return r;
                r = add_part(template, (Part){ .id = (unsigned) r });
                text = end + 2;
        }
        if (r < 0)
                return error_set(err, r, "%s", path);
        *ret_template = TAKE_PTR(template);
        return 0;
}

static int append_value(Buf *buf, const cJSON *value) {
        autofree char *text = NULL;

        if (cJSON_IsNull(value))
                return 0;
        if (cJSON_IsString(value))
                return buf_append(buf, value->valuestring, strlen(value->valuestring));
        text = json_print(value);
        return text ? buf_append(buf, text, strlen(text)) : -ENOMEM;
}

static int fill_part(const Part *part, ExpressionSet *set, const cJSON *data, Buf *buf,
                     Error *err) {
        SCOPED(json_free) cJSON *value = NULL;
        int r;

        if (part->literal) {
                r = buf_append(buf, part->literal, strlen(part->literal));
        } else {
                r = expressions_eval(set, part->id, data, &value, err);
                if (r < 0)
                        return r;
                r = append_value(buf, value);
        }
        if (r == -ENOBUFS)
                return error_say(err, r, "a filled template is above %d bytes", TEMPLATE_OUT_MAX);
        return r < 0 ? error_set(err, r, "fill a template") : 0;
}

int template_fill(const Template *template, ExpressionSet *set, const cJSON *data, char **ret_text,
                  Error *err) {
        Buf buf = BUF_EMPTY(TEMPLATE_OUT_MAX);
        char *text;
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < template->n; i++)
                r = fill_part(&template->parts[i], set, data, &buf, err);
        text = r >= 0 ? buf_take(&buf) : NULL;
        buf_deinit(&buf);
        if (r < 0)
                return r;
        if (!text)
                return error_set(err, -ENOMEM, "fill a template");
        *ret_text = text;
        return 0;
}

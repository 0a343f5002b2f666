/*
 * protocol-page: see protocol-page.h. In descriptions `words` are bold.
 */
#include "build-aux/protocol-page.h"

#include <string.h>

#include "base/json.h"
#include "build-aux/protocol-check.h"

#define LINE_MAX_BYTES 4096

typedef struct Page {
        const Protocol *protocol;
        FILE *out;
        int depth; /* tabs before a line */
} Page;

/* ---- text ---------------------------------------------------------------------------------------- */

static void put_plain(const Page *page, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (strchr("*_\\`#~[]|<>", text[i]))
                        (void) fputc('\\', page->out);
                (void) fputc(text[i], page->out);
        }
}

static void put_bold(const Page *page, const char *text, size_t n) {
        (void) fputc('*', page->out);
        put_plain(page, text, n);
        (void) fputc('*', page->out);
}

static void put_text(const Page *page, const char *text) {
        while (*text) {
                size_t n = strcspn(text, "`");

                put_plain(page, text, n);
                text += n;
                if (!*text)
                        return;
                n = strcspn(text + 1, "`");
                put_bold(page, text + 1, n);
                text += n + 1;
                text += *text == '`';
        }
}

static void put_indent(const Page *page) {
        for (int i = 0; i < page->depth; i++)
                (void) fputc('\t', page->out);
}

/* A paragraph: "LABEL TEXT" */
static void put_paragraph(const Page *page, const char *label, const char *text) {
        put_indent(page);
        (void) fputs(label, page->out);
        put_text(page, text);
        (void) fputs("\n\n", page->out);
}

/* ---- types --------------------------------------------------------------------------------------- */

static void put_number(const Page *page, const cJSON *value) {
        (void) fprintf(page->out, "%.0f", value->valuedouble);
}

/* ", 1 to 64", ", 3 or more" */
static void put_range(const Page *page, const cJSON *schema, const char *least, const char *most,
                      const char *what) {
        const cJSON *from = json_get(schema, least), *to = json_get(schema, most);
        bool has_from = from && from->valuedouble > 0;

        if (!has_from && !to)
                return;
        (void) fputs(", ", page->out);
        if (to && from && to->valuedouble <= from->valuedouble) {
                put_number(page, to);
        } else if (to) {
                put_number(page, from ? from : &(const cJSON){ 0 });
                (void) fputs(" to ", page->out);
                put_number(page, to);
        } else {
                put_number(page, from);
                (void) fputs(" or more", page->out);
        }
        (void) fputs(what, page->out);
}

static void put_type(const Page *page, const cJSON *schema);

static void put_list_of(const Page *page, const cJSON *list, const char *between) {
        const cJSON *item;

        cJSON_ArrayForEach(item, list) {
                if (item->prev && item != list->child)
                        (void) fputs(between, page->out);
                if (cJSON_IsString(item))
                        put_bold(page, item->valuestring, strlen(item->valuestring));
                else
                        put_type(page, item);
        }
}

static void put_ref(const Page *page, const char *name) {
        const cJSON *shape = json_get(page->protocol->shapes, name);
        const char *title = json_text(shape, "title"), *of = json_text(page->protocol->pages, name);

        if (title || of)
                put_text(page, title ? title : of);
        else
                put_bold(page, name, strlen(name));
}

static void put_object(const Page *page, const cJSON *schema) {
        const cJSON *more = json_get(schema, "additionalProperties");

        (void) fputs("object", page->out);
        if (!cJSON_IsObject(more))
                return;
        (void) fputs(" of any names, each ", page->out);
        put_type(page, more);
}

static void put_array(const Page *page, const cJSON *schema) {
        (void) fputs("list of ", page->out);
        put_type(page, json_get(schema, "items"));
        put_range(page, schema, "minItems", "maxItems", " of them");
}

static void put_named(const Page *page, const cJSON *schema, const char *type) {
        if (strcmp(type, "string") == 0) {
                (void) fputs("text", page->out);
                put_range(page, schema, "minLength", "maxLength", " characters");
        } else if (strcmp(type, "integer") == 0) {
                (void) fputs("number", page->out);
                put_range(page, schema, "minimum", "maximum", "");
        } else if (strcmp(type, "boolean") == 0) {
                (void) fputs("true or false", page->out);
        } else if (strcmp(type, "array") == 0) {
                put_array(page, schema);
        } else if (strcmp(type, "object") == 0) {
                put_object(page, schema);
        } else {
                (void) fputs(type, page->out);
        }
}

static void put_type(const Page *page, const cJSON *schema) {
        const cJSON *any =
                json_get(schema, "anyOf") ? json_get(schema, "anyOf") : json_get(schema, "oneOf");
        const cJSON *types = json_get(schema, "type"), *type;

        if (protocol_shape_name(schema)) {
                put_ref(page, protocol_shape_name(schema));
        } else if (any) {
                put_list_of(page, any, " or ");
        } else if (json_get(schema, "enum")) {
                put_list_of(page, json_get(schema, "enum"), ", ");
        } else if (cJSON_IsString(types)) {
                put_named(page, schema, types->valuestring);
        } else if (types) {
                cJSON_ArrayForEach(type, types) {
                        (void) fputs(type == types->child ? "" : " or ", page->out);
                        put_named(page, schema, type->valuestring);
                }
        } else {
                (void) fputs("anything", page->out);
        }
}

/* ---- members ------------------------------------------------------------------------------------- */

static void put_members(Page *page, const cJSON *schema, bool mark_needed);

static void put_member(Page *page, const cJSON *member, bool needed, bool mark_needed) {
        const cJSON *items = json_get(member, "items");
        const cJSON *inner = json_get(member, "properties") ? member : items;

        put_indent(page);
        put_bold(page, member->string, strlen(member->string));
        (void) fputs(" (", page->out);
        put_type(page, member);
        if (needed == mark_needed)
                (void) fputs(mark_needed ? "; required" : "; optional", page->out);
        (void) fputs(")\n", page->out);
        page->depth++;
        put_indent(page);
        put_text(page, json_text(member, "description"));
        (void) fputs("\n", page->out);
        if (json_get(inner, "properties")) {
                (void) fputs("\n", page->out);
                put_members(page, inner, mark_needed);
        }
        page->depth--;
}

/* @mark_needed: of parameters what must be there is marked, of results what may not be */
static void put_members(Page *page, const cJSON *schema, bool mark_needed) {
        const cJSON *member;

        cJSON_ArrayForEach(member, json_get(schema, "properties"))
                put_member(page, member, protocol_needs(schema, member->string), mark_needed);
}

static void put_part(Page *page, const cJSON *schema, const char *label, bool mark_needed) {
        bool has_members = cJSON_GetArraySize(json_get(schema, "properties")) > 0;

        put_indent(page);
        (void) fprintf(page->out, "_%s_: ", label);
        if (has_members)
                (void) fputs("an object of", page->out);
        else if (json_get(schema, "properties"))
                (void) fputs(mark_needed ? "none." : "an empty object.", page->out);
        else
                put_type(page, schema);
        (void) fputs("\n\n", page->out);
        page->depth++;
        put_members(page, schema, mark_needed);
        page->depth--;
        if (has_members)
                (void) fputs("\n", page->out);
}

/* ---- methods ------------------------------------------------------------------------------------- */

static void put_words(const Page *page, const char *label, const cJSON *words, const char *end) {
        if (cJSON_GetArraySize(words) == 0)
                return;
        put_indent(page);
        (void) fputs(label, page->out);
        put_list_of(page, words, ", ");
        (void) fprintf(page->out, "%s\n\n", end);
}

static void put_descriptors(const Page *page, const cJSON *method) {
        uint64_t most = 0;
        char label[64];

        (void) json_number(method, "fds", &most);
        (void) snprintf(label, sizeof label,
                        "_Takes descriptors_, %llu at most: ", (unsigned long long) most);
        if (json_text(method, "takes"))
                put_paragraph(page, label, json_text(method, "takes"));
        if (json_text(method, "gives"))
                put_paragraph(page, "_Gives descriptors_: ", json_text(method, "gives"));
}

/* As it is; scdoc takes a backslash away also where it lets all else stand */
static void put_literal(const Page *page, const char *text) {
        for (; text && *text; text++) {
                if (*text == '\\')
                        (void) fputc('\\', page->out);
                (void) fputc(*text, page->out);
        }
}

static void put_example(const Page *page, const cJSON *method) {
        const cJSON *example = json_get(method, "example");
        autofree char *params = json_print(json_get(example, "params"));
        autofree char *result =
                json_get(example, "result") ? json_print(json_get(example, "result")) : NULL;

        put_indent(page);
        (void) fprintf(page->out, "```\n");
        put_indent(page);
        (void) fprintf(page->out, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":",
                       method->string);
        put_literal(page, params);
        (void) fputs("}\n", page->out);
        if (result) {
                put_indent(page);
                (void) fputs("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":", page->out);
                put_literal(page, result);
                (void) fputs("}\n", page->out);
        }
        put_indent(page);
        (void) fprintf(page->out, "```\n\n");
}

static void put_method(Page *page, const cJSON *method) {
        const cJSON *item;

        put_bold(page, method->string, strlen(method->string));
        (void) fputs("\n", page->out);
        page->depth++;
        put_paragraph(page, "", json_text(method, "summary"));
        cJSON_ArrayForEach(item, json_get(method, "text"))
                put_paragraph(page, "", item->valuestring);
        put_part(page, json_get(method, "params"), "Parameters", true);
        put_part(page, json_get(method, "result"), "Result", false);
        put_descriptors(page, method);
        put_words(page, "_Notifications_: ", json_get(method, "notifies"), "");
        put_words(page, "_Errors_: ", json_get(method, "errors"), "");
        put_paragraph(page, "_Who_: ", json_text(method, "who"));
        put_paragraph(page, "_Charged to_: ", protocol_charge_text(json_text(method, "charge")));
        put_example(page, method);
        page->depth--;
}

static void put_methods(Page *page) {
        const char *group = "";
        const cJSON *item;

        cJSON_ArrayForEach(item, page->protocol->methods) {
                const char *own = json_text(item, "group");

                if (strcmp(own, group) != 0)
                        (void) fprintf(page->out, "## %s\n\n", own);
                group = own;
                put_method(page, item);
        }
}

static void put_notifications(Page *page) {
        const cJSON *item;

        cJSON_ArrayForEach(item, page->protocol->notifications) {
                put_bold(page, item->string, strlen(item->string));
                (void) fputs("\n", page->out);
                page->depth++;
                put_paragraph(page, "", json_text(item, "summary"));
                put_part(page, json_get(item, "params"), "Parameters", false);
                page->depth--;
        }
}

static void put_shape(Page *page, const cJSON *shape) {
        put_bold(page, shape->string, strlen(shape->string));
        (void) fputs("\n", page->out);
        page->depth++;
        put_paragraph(page, "", json_text(shape, "description"));
        if (json_get(shape, "properties"))
                put_members(page, shape, false);
        if (json_get(shape, "properties"))
                (void) fputs("\n", page->out);
        else
                put_part(page, shape, "Is", false);
        page->depth--;
}

static void put_shapes(Page *page) {
        const cJSON *item;

        cJSON_ArrayForEach(
                item, page->protocol->shapes) if (!json_text(item, "title") &&
                                                  !json_text(page->protocol->pages, item->string))
                put_shape(page, item);
}

void protocol_page(const Protocol *protocol, FILE *template, FILE *out) {
        static const struct {
                const char *mark;
                void (*put)(Page *page);
        } parts[] = { { "@METHODS@\n", put_methods },
                      { "@NOTIFICATIONS@\n", put_notifications },
                      { "@SHAPES@\n", put_shapes } };
        unsigned met[ELEMENTS(parts)] = { 0 };
        Page page = { protocol, out, 0 };
        char line[LINE_MAX_BYTES];

        while (fgets(line, sizeof line, template)) {
                bool is_mark = false;

                for (unsigned i = 0; i < ELEMENTS(parts); i++) {
                        if (strcmp(line, parts[i].mark) != 0)
                                continue;
                        parts[i].put(&page);
                        is_mark = ++met[i] > 0;
                }
                if (!is_mark)
                        (void) fputs(line, out);
        }
        for (unsigned i = 0; i < ELEMENTS(parts); i++)
                if (met[i] != 1)
                        protocol_die("the page has %u lines %.*s", met[i],
                                     (int) strlen(parts[i].mark) - 1, parts[i].mark);
}

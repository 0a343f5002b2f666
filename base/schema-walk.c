/*
 * schema-walk: see schema-walk.h.
 */
#include "base/schema-walk.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

int schema_fail(SchemaWalk *w, int code, const char *format, ...) {
        va_list args;

        (void) snprintf(w->fault->path, sizeof(w->fault->path), "%s", w->path);
        w->fault->range = NULL;
        va_start(args, format);
        (void) vsnprintf(w->fault->text, sizeof(w->fault->text), format, args);
        va_end(args);
        return code;
}

int schema_spend(SchemaWalk *w, size_t work) {
        w->work += work > SCHEMA_WORK_MAX ? SCHEMA_WORK_MAX : (unsigned) work;
        if (w->work > SCHEMA_WORK_MAX)
                return schema_fail(w, SCHEMA_NO_FIT, "too large to be checked against this schema");
        return 0;
}

/* Adds "/name" to the path, "~" and "/" escaped; a path that does not fit keeps its front. */
static size_t path_push(SchemaWalk *w, const char *name) {
        size_t before = strlen(w->path), at = before;

        if (at + 1 < sizeof(w->path))
                w->path[at++] = '/';
        for (; *name && at + 2 < sizeof(w->path); name++) {
                if (*name == '~' || *name == '/') {
                        w->path[at++] = '~';
                        w->path[at++] = *name == '/' ? '1' : '0';
                } else {
                        w->path[at++] = *name;
                }
        }
        w->path[at] = 0;
        return before;
}

int schema_fail_member(SchemaWalk *w, const cJSON *member, const char *format, ...) {
        size_t before = path_push(w, member->string);
        char text[ERROR_TEXT_MAX];
        va_list args;
        int r;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        r = schema_fail(w, SCHEMA_NO_FIT, "%s", text);
        w->path[before] = 0;
        return r;
}

int schema_member(SchemaWalk *w, const cJSON *schema, const cJSON *member) {
        size_t before = path_push(w, member->string);
        int r = w->check(w, schema, member);

        w->path[before] = 0;
        return r;
}

int schema_element(SchemaWalk *w, const cJSON *schema, const cJSON *element, unsigned index) {
        char name[16];
        size_t before;
        int r;

        (void) snprintf(name, sizeof(name), "%u", index);
        before = path_push(w, name);
        r = w->check(w, schema, element);
        w->path[before] = 0;
        return r;
}

/* Checks without touching the caller's fault; @ret_fault (may be NULL) gets this one's. */
int schema_probe(SchemaWalk *w, const cJSON *schema, const cJSON *value, SchemaFault *ret_fault) {
        SchemaFault own = { .path = "" };
        SchemaFault *outer = w->fault;
        int r;

        w->fault = &own;
        r = w->check(w, schema, value);
        w->fault = outer;
        if (r == SCHEMA_BROKEN || w->work > SCHEMA_WORK_MAX)
                *outer = own;
        if (ret_fault)
                *ret_fault = own;
        return w->work > SCHEMA_WORK_MAX && r == 0 ? SCHEMA_NO_FIT : r;
}

const char *schema_type_name(const cJSON *value) {
        if (cJSON_IsObject(value))
                return "object";
        if (cJSON_IsArray(value))
                return "array";
        if (cJSON_IsString(value))
                return "string";
        if (cJSON_IsNumber(value))
                return "number";
        return cJSON_IsBool(value) ? "boolean" : "null";
}

bool schema_has_type(const cJSON *value, const char *name) {
        if (strcmp(name, "integer") == 0)
                return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
        return strcmp(name, schema_type_name(value)) == 0;
}

static int equal_members(SchemaWalk *w, const cJSON *a, const cJSON *b, bool *ret_equal) {
        size_t n = (size_t) cJSON_GetArraySize(a);
        const cJSON *item, *other;
        int r;

        *ret_equal = n == (size_t) cJSON_GetArraySize(b);
        cJSON_ArrayForEach(item, a) {
                if (!*ret_equal)
                        return 0;
                other = json_get(b, item->string);
                *ret_equal = other != NULL;
                r = schema_spend(w, n / 8);
                if (r == 0 && other)
                        r = schema_equal(w, item, other, ret_equal);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int equal_elements(SchemaWalk *w, const cJSON *a, const cJSON *b, bool *ret_equal) {
        const cJSON *x = a->child, *y = b->child;
        int r;

        for (*ret_equal = true; *ret_equal && x && y; x = x->next, y = y->next) {
                r = schema_equal(w, x, y, ret_equal);
                if (r < 0)
                        return r;
        }
        if (*ret_equal)
                *ret_equal = !x && !y;
        return 0;
}

/* JSON equality: members in any order, 1 and 1.0 are the same. Depth is bounded by json_parse(). */
int schema_equal(SchemaWalk *w, const cJSON *a, const cJSON *b, bool *ret_equal) {
        int r = schema_spend(w, 1);

        if (r < 0)
                return r;
        *ret_equal = strcmp(schema_type_name(a), schema_type_name(b)) == 0;
        if (!*ret_equal)
                return 0;
        if (cJSON_IsObject(a))
                return equal_members(w, a, b, ret_equal);
        if (cJSON_IsArray(a))
                return equal_elements(w, a, b, ret_equal);
        if (cJSON_IsString(a))
                *ret_equal = strcmp(a->valuestring, b->valuestring) == 0;
        else if (cJSON_IsNumber(a))
                *ret_equal = !(a->valuedouble < b->valuedouble || a->valuedouble > b->valuedouble);
        else
                *ret_equal = cJSON_IsTrue(a) == cJSON_IsTrue(b);
        return 0;
}

/* The value as it is shown in a fault, cut. */
const char *schema_show(const cJSON *value, char *text, size_t size) {
        autofree char *printed = json_print(value);
        autofree char *safe = printed ? escape_new(printed, SCHEMA_SHOWN) : NULL;

        (void) snprintf(text, size, "%s", safe ? safe : schema_type_name(value));
        return text;
}

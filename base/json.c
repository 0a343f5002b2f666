/*
 * json: see json.h. The grammar is checked by json-scan; cJSON only builds the tree.
 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/json-scan.h"

#define NUMBER_MAX 9007199254740992.0 /* 2^53: up to here a double holds every integer */

cJSON *json_free(cJSON *json) {
        cJSON_Delete(json);
        return NULL;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, because an object from outside may have a hundred thousand names. */
static int check_names(const cJSON *object, Error *err) {
        autofree const char **names = NULL;
        size_t n = (size_t) cJSON_GetArraySize(object), i = 0;
        const cJSON *item;

        if (n < 2)
                return 0;
        names = calloc(n, sizeof(*names));
        if (!names)
                return error_set(err, -ENOMEM, "check the names of an object");
        cJSON_ArrayForEach(item, object) names[i++] = item->string;
        qsort(names, n, sizeof(*names), compare_names);
        for (i = 1; i < n; i++)
                if (strcmp(names[i - 1], names[i]) == 0)
                        return error_say(err, -EINVAL,
                                         "the name \"%.64s\" stands twice in an object", names[i]);
        return 0;
}

/* What only the tree shows: doubled names, numbers that no double holds. Depth is bounded by the scan. */
static int check_tree(const cJSON *json, Error *err) {
        const cJSON *item;
        int r;

        if (cJSON_IsNumber(json) && !isfinite(json->valuedouble))
                return error_say(err, -EINVAL, "a number is too large");
        if (cJSON_IsObject(json)) {
                r = check_names(json, err);
                if (r < 0)
                        return r;
        }
        cJSON_ArrayForEach(item, json) {
                r = check_tree(item, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_plain(const char *text, size_t n, cJSON **ret_json, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        int r = json_scan(text, n, err);

        if (r < 0)
                return r;
        json = cJSON_ParseWithLength(text, n);
        if (!json)
                return error_set(err, -ENOMEM, "build a JSON tree");
        r = check_tree(json, err);
        if (r < 0)
                return r;
        *ret_json = TAKE_PTR(json);
        return 0;
}

int json_parse(const char *text, size_t n, unsigned flags, cJSON **ret_json, Error *err) {
        autofree char *copy = NULL;
        int r;

        if (!(flags & JSON_COMMENTS))
                return parse_plain(text, n, ret_json, err);
        copy = malloc(n + 1);
        if (!copy)
                return error_set(err, -ENOMEM, "copy a JSON text");
        memcpy(copy, text, n);
        copy[n] = 0;
        r = json_blank_comments(copy, n, err);
        return r < 0 ? r : parse_plain(copy, n, ret_json, err);
}

cJSON *json_get(const cJSON *object, const char *name) {
        return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *json_text(const cJSON *object, const char *name) {
        return cJSON_GetStringValue(json_get(object, name));
}

int json_number(const cJSON *object, const char *name, uint64_t *ret_value) {
        const cJSON *item = json_get(object, name);
        double value;

        if (!item)
                return -ENOENT;
        if (!cJSON_IsNumber(item))
                return -EINVAL;
        value = item->valuedouble;
        if (!(value >= 0 && value <= NUMBER_MAX) || value != floor(value))
                return -EINVAL;
        *ret_value = (uint64_t) value;
        return 0;
}

bool json_true(const cJSON *object, const char *name) {
        return cJSON_IsTrue(json_get(object, name));
}

/* One reference token, unescaped (~1 is a slash, ~0 a tilde), as fresh memory. */
static char *pointer_token(const char *token, size_t n) {
        char *name = malloc(n + 1);
        char *to = name;
        size_t i;

        if (!name)
                return NULL;
        for (i = 0; i < n; i++) {
                if (token[i] == '~' && i + 1 < n && (token[i + 1] == '0' || token[i + 1] == '1'))
                        *to++ = token[++i] == '1' ? '/' : '~';
                else
                        *to++ = token[i];
        }
        *to = 0;
        return name;
}

static cJSON *array_at(const cJSON *array, const char *token) {
        char *end;
        long index;

        if (strspn(token, "0123456789") != strlen(token) || !*token ||
            (token[0] == '0' && token[1]))
                return NULL;
        errno = 0;
        index = strtol(token, &end, 10);
        return errno == 0 && index <= INT32_MAX ? cJSON_GetArrayItem(array, (int) index) : NULL;
}

cJSON *json_at(const cJSON *json, const char *pointer) {
        /* cJSON gives no const accessors; the caller's own constness decides what is written */
        cJSON *at = (cJSON *) (uintptr_t) json;

        while (at && *pointer == '/') {
                size_t n = strcspn(++pointer, "/");
                autofree char *token = pointer_token(pointer, n);

                if (!token)
                        return NULL;
                at = cJSON_IsArray(at) ? array_at(at, token) : json_get(at, token);
                pointer += n;
        }
        return *pointer ? NULL : at;
}

/* Well-formed characters stay, other bytes become \xNN. Fresh memory. */
static char *mend_text(const char *text) {
        autobuf Buf buf = BUF_EMPTY(SIZE_MAX / 8);
        size_t n = strlen(text), length;
        uint32_t code;
        int r;

        for (; n > 0; text += length, n -= length) {
                length = utf8_next(text, n, &code);
                if (length > 0) {
                        r = buf_append(&buf, text, length);
                } else {
                        length = 1;
                        r = buf_printf(&buf, "\\x%02x", (unsigned) (unsigned char) *text);
                }
                if (r < 0)
                        return NULL;
        }
        return buf_take(&buf);
}

static cJSON *new_text(const char *text) {
        autofree char *mended = NULL;

        if (!text)
                return cJSON_CreateNull();
        if (utf8_is_valid(text, strlen(text)))
                return cJSON_CreateString(text);
        mended = mend_text(text);
        return mended ? cJSON_CreateString(mended) : NULL;
}

cJSON *json_add_consume(cJSON *object, const char *name, cJSON *item) {
        if (object && item && cJSON_AddItemToObject(object, name, item))
                return item;
        cJSON_Delete(item);
        return NULL;
}

cJSON *json_push_consume(cJSON *array, cJSON *item) {
        if (array && item && cJSON_AddItemToArray(array, item))
                return item;
        cJSON_Delete(item);
        return NULL;
}

cJSON *json_add_text(cJSON *object, const char *name, const char *text) {
        return object ? json_add_consume(object, name, new_text(text)) : NULL;
}

cJSON *json_add_number(cJSON *object, const char *name, uint64_t value) {
        return object ? json_add_consume(object, name, cJSON_CreateNumber((double) value)) : NULL;
}

cJSON *json_add_bool(cJSON *object, const char *name, bool value) {
        return object ? json_add_consume(object, name, cJSON_CreateBool(value)) : NULL;
}

cJSON *json_add_object(cJSON *object, const char *name) {
        return object ? json_add_consume(object, name, cJSON_CreateObject()) : NULL;
}

cJSON *json_add_array(cJSON *object, const char *name) {
        return object ? json_add_consume(object, name, cJSON_CreateArray()) : NULL;
}

cJSON *json_push_text(cJSON *array, const char *text) {
        return array ? json_push_consume(array, new_text(text)) : NULL;
}

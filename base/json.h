#pragma once
/*
 * json: strict JSON by cJSON. Refused beyond what cJSON refuses: invalid UTF-8, NUL (also \u0000),
 * duplicate names, lone surrogates, bytes after the value, depth above JSON_DEPTH_MAX. Comments are
 * taken out first where a file of ours may have them (// to the end of a line, and slash-star blocks).
 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json-print.h"
#include "base/owned.h"

#define JSON_DEPTH_MAX 64

typedef enum JsonFlags { JSON_COMMENTS = 1 } JsonFlags;

/** json_free() - cJSON_Delete; NULL is fine. Returns: NULL */
cJSON *json_free(cJSON *json);
DEFINE_SCOPED(cJSON *, json_free);

/**
 * json_parse() - text to a tree
 * Returns: 0, -EINVAL with line, column and reason, or -ENOMEM. @ret_json is owned by the caller.
 */
int json_parse(const char *text, size_t n, unsigned flags, cJSON **ret_json, Error *err);

/** json_get() - member @name of an object, NULL where absent or no object; borrowed, case-sensitive */
cJSON *json_get(const cJSON *object, const char *name);
/** json_text() - a string member's text, borrowed; NULL where absent or no string */
const char *json_text(const cJSON *object, const char *name);
/** json_number() - an integral member in 0..2^53. Returns: 0, -ENOENT absent, -EINVAL other type */
int json_number(const cJSON *object, const char *name, uint64_t *ret_value);
/** json_true() - is the member there and true */
bool json_true(const cJSON *object, const char *name);
/** json_at() - by JSON pointer (RFC 6901), borrowed; NULL where absent */
cJSON *json_at(const cJSON *json, const char *pointer);

/*
 * Building. Each returns the new child (borrowed from @object) or NULL without memory; all accept a NULL
 * @object and then do nothing, so that a chain needs one check at its end.
 */
/** json_add_text() - string member; a NULL @text adds null; invalid UTF-8 is escaped */
cJSON *json_add_text(cJSON *object, const char *name, const char *text);
/** json_add_number() - integral member, exact to 2^53 */
cJSON *json_add_number(cJSON *object, const char *name, uint64_t value);
/** json_add_bool() - true or false member */
cJSON *json_add_bool(cJSON *object, const char *name, bool value);
/** json_add_object() - empty object member */
cJSON *json_add_object(cJSON *object, const char *name);
/** json_add_array() - empty array member */
cJSON *json_add_array(cJSON *object, const char *name);
/** json_add_consume() - @item becomes a member and is freed where that fails */
cJSON *json_add_consume(cJSON *object, const char *name, cJSON *item);
/** json_push_consume() - @item becomes the last element of @array */
cJSON *json_push_consume(cJSON *array, cJSON *item);
/** json_push_text() - a string becomes the last element */
cJSON *json_push_text(cJSON *array, const char *text);

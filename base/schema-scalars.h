#pragma once
/*
 * schema-scalars: keywords about numbers and strings, rows of the table in schema.c. All are SchemaKeyFn.
 */
#include "base/schema-walk.h"

/** schema_matches() - does @text match @pattern. Returns: 1, 0, SCHEMA_BROKEN, SCHEMA_NO_FIT (work) */
int schema_matches(SchemaWalk *w, const char *pattern, const char *text);
/** schema_key_minimum() - at least this number */
int schema_key_minimum(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value);
/** schema_key_maximum() - at most this number */
int schema_key_maximum(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value);
/** schema_key_above() - exclusiveMinimum: more than this */
int schema_key_above(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value);
/** schema_key_below() - exclusiveMaximum: less than this */
int schema_key_below(SchemaWalk *w, const cJSON *schema, const cJSON *keyword, const cJSON *value);
/** schema_key_multiple_of() - a whole multiple of this */
int schema_key_multiple_of(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                           const cJSON *value);
/** schema_key_min_length() - at least so many characters */
int schema_key_min_length(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value);
/** schema_key_max_length() - at most so many characters */
int schema_key_max_length(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                          const cJSON *value);
/** schema_key_pattern() - the text matches (schema-pattern.h) */
int schema_key_pattern(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                       const cJSON *value);

#pragma once
/*
 * schema: JSON Schema 2020-12, the part that tool calls, policies and workflows use: type (also a list),
 * properties, required, additionalProperties, items, prefixItems, enum, const, minimum, maximum,
 * exclusive*, multipleOf, minLength, maxLength, pattern (POSIX extended), minItems, maxItems,
 * uniqueItems, min/maxProperties, propertyNames, patternProperties, oneOf, anyOf, allOf, not, if/then/else,
 * $defs with $ref "#/…" (local only), default ignored. Unknown keywords are ignored, as the
 * standard says; a $ref to anywhere else is an error of the schema. Depth is bounded.
 */
#include "base/json.h"

#define SCHEMA_PATH_MAX 256

typedef struct SchemaFault {
        char path[SCHEMA_PATH_MAX]; /* JSON pointer into the value, "" for the whole */
        char text[ERROR_TEXT_MAX];  /* what is wrong and what was expected */
        const cJSON *
                range; /* borrowed from the schema: its "minimum" and "maximum" a number is outside of; else NULL */
} SchemaFault;

/**
 * schema_check() - does @value fit @schema
 * Returns: 0 fits, -EINVAL with the first fault, -ENOTSUP where the schema itself is wrong.
 */
int schema_check(const cJSON *schema, const cJSON *value, SchemaFault *ret_fault);

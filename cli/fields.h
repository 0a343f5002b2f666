#pragma once
/*
 * fields: which option of the command fills a field of a request, so that a refusal can name what was typed, in its
 * unit.
 */
#include "base/json.h"

#define FIELD_RANGE_MAX 128

typedef enum FieldUnit {
        FIELD_COUNT,
        FIELD_BYTES,
        FIELD_USEC,
        FIELD_PERMILLE,
        FIELD_MILLIONTHS,
} FieldUnit;

typedef struct Field {
        const char *method; /* NULL: any */
        const char *path;   /* JSON pointer into the parameters */
        const char *option; /* "--memory", or the word as the synopsis has it: "NAME" */
        FieldUnit unit;
} Field;

/** field_find() - what fills JSON pointer @path in a request of @method. Returns: static, NULL: not known */
const Field *field_find(const char *method, const char *path);

/**
 * field_range() - "must be from 32 MiB to 4 TiB"
 * @field: NULL: plain numbers
 * @data:  of a refusal; its members "minimum" and "maximum"
 * @text:  of FIELD_RANGE_MAX
 *
 * Returns: @text, NULL where @data has no range.
 */
const char *field_range(const Field *field, const cJSON *data, char *text);

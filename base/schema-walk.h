#pragma once
/*
 * schema-walk: what every keyword of a schema works with: where in the value we are, the fault that is
 * reported, and the two counters that bound the work (see schema.c).
 */
#include "base/schema.h"

#define SCHEMA_NO_FIT   (-EINVAL)
#define SCHEMA_BROKEN   (-ENOTSUP)
#define SCHEMA_WORK_MAX 2000000
#define SCHEMA_SHOWN    60 /* bytes of a value that a fault shows */

typedef struct SchemaWalk SchemaWalk;

/** A keyword: does @value fit @keyword of @schema. Returns: 0, SCHEMA_NO_FIT or SCHEMA_BROKEN */
typedef int (*SchemaKeyFn)(SchemaWalk *w, const cJSON *schema, const cJSON *keyword,
                           const cJSON *value);

struct SchemaWalk {
        const cJSON *root;          /* borrowed; where "#/…" starts */
        SchemaFault *fault;         /* borrowed */
        char path[SCHEMA_PATH_MAX]; /* of the value that is being checked */
        unsigned depth;
        unsigned work;
        int (*check)(SchemaWalk *w, const cJSON *schema, const cJSON *value);
};

/** schema_fail() - record a fault at the present path. Returns: @code */
int schema_fail(SchemaWalk *w, int code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/** schema_fail_member() - record that @member does not fit, at its own path. Returns: SCHEMA_NO_FIT */
int schema_fail_member(SchemaWalk *w, const cJSON *member, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/** schema_spend() - count work. Returns: 0, or SCHEMA_NO_FIT where it is too much */
int schema_spend(SchemaWalk *w, size_t work);

/** schema_member() - check a member of an object, one path element deeper. Returns: as SchemaKeyFn */
int schema_member(SchemaWalk *w, const cJSON *schema, const cJSON *member);

/** schema_element() - check an element of an array, one path element deeper. Returns: as SchemaKeyFn */
int schema_element(SchemaWalk *w, const cJSON *schema, const cJSON *element, unsigned index);

/**
 * schema_probe() - check without touching the caller's fault
 * @ret_fault: gets the fault of this check; may be NULL
 *
 * Returns: as SchemaKeyFn. SCHEMA_BROKEN, and too much work, do reach the caller's fault.
 */
int schema_probe(SchemaWalk *w, const cJSON *schema, const cJSON *value, SchemaFault *ret_fault);

/** schema_type_name() - the name of @value's JSON type */
const char *schema_type_name(const cJSON *value);

/** schema_has_type() - is @value of the type @name; "integer" includes 1.0 */
bool schema_has_type(const cJSON *value, const char *name);

/** schema_equal() - JSON equality: members in any order, 1 and 1.0 the same. Returns: 0, SCHEMA_NO_FIT (work) */
int schema_equal(SchemaWalk *w, const cJSON *a, const cJSON *b, bool *ret_equal);

/** schema_show() - @value as a fault shows it, escaped and cut, into @text. Returns: @text */
const char *schema_show(const cJSON *value, char *text, size_t size);

#pragma once
/*
 * plain: the small part of jq that workflows use most, resolved without libjq, which takes 14 ms to
 * compile anything: a path, a literal, one comparison of two of them, or one alternative:
 *
 *   .input.request    .steps["unit tests"].code    .steps.check.failing[0]
 *   .steps.check.verdict == "passed"    .iteration < 3    .steps.check.digest // ""
 *
 * The meaning is jq's: null has every field and they are null, a field of a string is an error, `//`
 * takes its right side where the left is null, false or an error.
 */
#include "base/json.h"

typedef struct Plain Plain;

enum { _PLAIN_E_SUCCESS, PLAIN_E_OTHER };

/** plain_parse() - Returns: 0; PLAIN_E_OTHER where @text is not of this form; -ENOMEM */
int plain_parse(const char *text, Plain **ret_plain);
/** plain_free() - release it. Returns: NULL */
Plain *plain_free(Plain *plain);
DEFINE_SCOPED(Plain *, plain_free);

/**
 * plain_eval() - the value over @data
 * Returns: 0 with a fresh @ret_value (json_free()), -EINVAL with a sentence as jq would say it, -ENOMEM.
 */
int plain_eval(const Plain *plain, const cJSON *data, cJSON **ret_value, Error *err);

/**
 * plain_shape() - the path of an expression that is one path, or compares one with a literal by == or !=
 * @ret_path:  borrowed; NULL where it is another; of an alternative too, whose left side may be missing
 * @ret_equal: borrowed; the literal; NULL: there is none
 */
void plain_shape(const Plain *plain, const cJSON **ret_path, const cJSON **ret_equal);

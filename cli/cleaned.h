#pragma once
/*
 * cleaned: what did not come into a layer as it was, and by which rule.
 */
#include "base/json.h"

/** cleaned_show() - "cleaned" and "cleaned_total" of a result, on stderr; nothing where all landed. @where: "in the archive" */
void cleaned_show(const cJSON *result, const char *where);

#pragma once
/*
 * canonical: one text for one JSON value, so that a digest of it means the value and not its spelling:
 * compact, members sorted by the bytes of their names.
 */
#include "base/digest.h"
#include "base/json.h"

/** canonical_text() - fresh memory (free()); NULL: no memory */
char *canonical_text(const cJSON *json);
/** canonical_digest() - SHA-256 of canonical_text(). Returns: 0 or -ENOMEM */
int canonical_digest(const cJSON *json, uint8_t *ret_value);

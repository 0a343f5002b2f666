#pragma once
/*
 * transcript: the form of a recorded model (warder-transcript(5)), for who reads one and for who sends it.
 */
#include "base/json.h"

/** transcript_check() - Returns: 0, or -EINVAL with a sentence that names the entry */
int transcript_check(const cJSON *entries, Error *err);

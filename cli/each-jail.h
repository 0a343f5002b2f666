#pragma once
/*
 * each-jail: verbs that do the same to each jail that is named.
 */
#include "base/json.h"
#include "cli/verbs.h"

/**
 * each_jail() - ask @method with "jail" for each word of @call
 * @verb: its name, for --json
 * @more: further parameters, borrowed; NULL: none
 *
 * All are tried, so that one wrong name does not keep the others from it.
 *
 * Returns: 0; 1: one was refused, and it was said; VERB_E_USAGE: none was named; or negative errno.
 */
int each_jail(const VerbCall *call, const char *verb, const char *method, const cJSON *more,
              Error *err);

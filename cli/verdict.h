#pragma once
/*
 * verdict: a verdict as people see it, and as an exit code.
 */
#include "base/json.h"

/** verdict_exit_code() - of a VERDICT */
int verdict_exit_code(const cJSON *verdict);

/** verdict_show() - the whole table on stderr */
void verdict_show(const cJSON *verdict);

/** verdict_line() - "verdict 2: failed, 41 of 42 tests pass; failing: …" on stderr */
void verdict_line(const cJSON *verdict);

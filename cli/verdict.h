#pragma once
/*
 * verdict: a verdict as people see it, and as an exit code.
 */
#include <stdio.h>

#include "base/json.h"

/** verdict_exit_code() - of a VERDICT */
int verdict_exit_code(const cJSON *verdict);

/** verdict_show() - the whole table on @to */
void verdict_show(FILE *to, const cJSON *verdict);

/** verdict_line() - "verdict 2: failed, 41 of 42 tests pass; failing: …" on @to */
void verdict_line(FILE *to, const cJSON *verdict);

/** verdict_of_task() - the last one of what task.show answered; NULL: none. Borrowed from @task */
const cJSON *verdict_of_task(const cJSON *task);

/** verdict_place() - into @verdict of @task what tree it is about, as far as the task was told: commit and changes */
void verdict_place(cJSON *verdict, const cJSON *task);

/** verdict_is_about() - is it about the patch of this digest ("sha256:…")? @verdict, @digest: NULL: no */
bool verdict_is_about(const cJSON *verdict, const char *digest);

#pragma once
/*
 * json-print: a tree as text. cJSON's own printer gives whole numbers above 10^15 away (a time of today
 * in microseconds among them): it takes fifteen digits for enough.
 */
#include <cjson/cJSON.h>

/** json_print() - compact text on one line, fresh memory (free()); NULL: no memory */
char *json_print(const cJSON *json);

#pragma once
/*
 * methods: the table of methods. A row is a name and a function; what is said of it stands in protocol/ (schemas, who may call
 * it, descriptors, errors), and is one with it: there is no row without that, and nothing is described that has no row. From
 * both come the check of every request, rpc.discover and warder-rpc(7).
 */
#include "supervisor/front/calls.h"

typedef struct Methods Methods;

/** methods_new() - gather the rows of all modules and parse their schemas. Returns: 0, -ENOENT: a row or its description is missing */
int methods_new(Methods **ret, Error *err);
/** methods_free() - Returns: NULL */
Methods *methods_free(Methods *methods);

/** methods_dispatch() - check @params (borrowed, NULL: none) by the row's schema and run it; @call is answered, now or later */
void methods_dispatch(Front *front, Call *call, const char *method, const cJSON *params);

/** methods_count() - how many there are */
unsigned methods_count(const Methods *methods);
/** methods_name() - of the one numbered @i, borrowed */
const char *methods_name(const Methods *methods, unsigned i);

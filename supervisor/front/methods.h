#pragma once
/*
 * methods: the table of methods. From a row come the check of every request, rpc.discover and the rows of
 * warder-rpc(7); a method that is not in the table does not exist.
 */
#include "supervisor/front/calls.h"

typedef struct Methods Methods;

/** methods_new() - gather the rows of all modules and parse their schemas */
int methods_new(Methods **ret, Error *err);
/** methods_free() - Returns: NULL */
Methods *methods_free(Methods *methods);

/** methods_dispatch() - check @params (borrowed, NULL: none) by the row's schema and run it; @call is answered, now or later */
void methods_dispatch(Front *front, Call *call, const char *method, const cJSON *params);

/** own_methods - warder.info and rpc.discover, ended by a NULL name */
extern const MethodRow own_methods[];

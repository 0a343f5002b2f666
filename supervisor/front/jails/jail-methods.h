#pragma once
/*
 * jail-methods: the methods jail.exec, signal, logs, attach, list, show, destroy and open, and how all methods find the jail that
 * they are about. Others, jail.create among them, have files of their own.
 */
#include "supervisor/front/calls.h"

/** jail_methods - rows of the method table, ended by a NULL name */
extern const MethodRow jail_methods[];

/**
 * jail_method_find() - the jail that "jail" of @params names, as the caller sees it
 *
 * Jails of files jobs, verifies and tasks are nobody's to reach.
 *
 * Returns: NULL with @err, after call_refuse().
 */
FrontJail *jail_method_find(Front *front, Call *call, const cJSON *params, Error *err);

/** jail_method_find_own() - the same, to look into it or run something there: its owner's and root's alone */
FrontJail *jail_method_find_own(Front *front, Call *call, const cJSON *params, Error *err);

#pragma once
/*
 * jail-methods: the methods jail.exec, signal, list, show, destroy and open. jail.create has a file of its
 * own, jail-create.c.
 */
#include "supervisor/front/calls.h"

/** jail_methods - rows of the method table, ended by a NULL name */
extern const MethodRow jail_methods[];

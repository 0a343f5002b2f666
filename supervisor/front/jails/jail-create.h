#pragma once
/*
 * jail-create: the method jail.create, with or without a first command.
 */
#include "supervisor/front/calls.h"

/** jail_create_row - its row of the method table */
extern const MethodRow jail_create_row;

#pragma once
/*
 * etc: what a jail's root must have for its user.
 */
#include "supervisor/wire.h"

/**
 * etc_complete() - give the root's passwd, group and hosts a line for the plan's user where none is, and
 *                  make its home
 * @plan: the builder's BOOT_PLAN
 *
 * A child does it, which has three capabilities of the jail's user namespace and nothing else: it reads what
 * a stranger's archive says. It answers the builder's BOOT_ETC itself, with one Error: code 0 where all is
 * well. Ends the jail where there is no such child, or it ends without an answer.
 */
void etc_complete(const BootMessage *plan);

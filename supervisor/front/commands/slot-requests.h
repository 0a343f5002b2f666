#pragma once
/*
 * slot-requests: command groups that only the monitor can make: one more for a jail whose groups are all in
 * use, and one with limits of its own for a command that is narrower than its jail.
 */
#include "supervisor/front/commands/slots.h"

/**
 * SlotReadyFn - once, unless the jail ends first
 * @command: "c-…", for whom it was asked; may be gone by now
 * @slot:    in use for it from now on, to be released; NULL: @err says why there is none
 */
typedef void (*SlotReadyFn)(FrontJail *jail, const char *command, Slot *slot, const Error *err);

/**
 * slot_request() - ask for a slot
 * @limits: those of the command; NULL: none of its own
 *
 * Returns: 0 and @ready will be called; negative errno: it will not.
 */
int slot_request(FrontJail *jail, const char *command, const CommandLimits *limits,
                 SlotReadyFn ready, Error *err);

#pragma once
/*
 * command: the commands of a jail, from the request to their start.
 */
#include "sandbox/init/init.h"

/** slot_word() - the child's socket is readable */
void slot_word(Init *init, Slot *slot);

/** command_start() - INIT_EXEC; @fds are consumed */
void command_start(Init *init, ExecMessage *message, size_t n, int *fds, unsigned n_fds);

/** command_find() - the slot whose running command has this id; NULL: none */
Slot *command_find(Init *init, uint64_t id);

/** pending_deinit() - forget a command that was kept until it is executed, and close what came with it */
void pending_deinit(Pending *pending);

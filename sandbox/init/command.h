#pragma once
/*
 * command: the commands of a jail, from the request to the event that says how each ended.
 */
#include "sandbox/init/init.h"

/** slot_word() - the child's socket is readable */
void slot_word(Init *init, Slot *slot);

/** slot_output() - a captured stream is readable */
void slot_output(Init *init, Slot *slot, unsigned stream);

/** reap_all() - take every dead child's status; commands that ended are reported */
void reap_all(Init *init);

/** command_start() - INIT_EXEC; @fds are consumed */
void command_start(Init *init, ExecMessage *message, size_t n, int *fds, unsigned n_fds);

/** command_find() - the slot whose running command has this id; NULL: none */
Slot *command_find(Init *init, uint64_t id);

/** as_user() - file system ids of a command for what follows; as_init() is the way back */
int as_user(uint32_t uid, uint32_t gid);

/** as_init() - init's own file system ids, and what the kernel takes away with a change of ids */
void as_init(void);

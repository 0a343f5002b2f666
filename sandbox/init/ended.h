#pragma once
/*
 * ended: from the output of a command to INIT_ENDED: captured streams, dead children, and the event that
 * says how each command ended.
 */
#include <sys/resource.h>

#include "sandbox/init/init.h"

/** slot_output() - a captured stream is readable */
void slot_output(Init *init, Slot *slot, unsigned stream);

/**
 * command_ended() - tell the front, with what was captured, and free the slot
 * @status: of wait4(2), where the command was started
 * @usage:  likewise; NULL: no child was ever there
 */
void command_ended(Init *init, Slot *slot, int status, const struct rusage *usage);

/** upper_full() - what the uppers' file system is out of: 1 blocks, 2 inodes, as InitEvent.disk_full */
uint32_t upper_full(const Init *init);

/** upper_measure() - of the file system that what the jail changes lies on: what is used and what there is, as INIT_MEASURED. Returns: 0 or negative errno */
int upper_measure(const Init *init, InitEvent *event);

/** reap_all() - take every dead child's status; commands that ended are reported */
void reap_all(Init *init);

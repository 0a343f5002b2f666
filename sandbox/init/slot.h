#pragma once
/*
 * slot: the command groups, and the child that is parked in each.
 */
#include "sandbox/init/init.h"

/** slot_add() - a command group; @dir is consumed. Returns: 0 or negative errno */
int slot_add(Init *init, uint32_t slot, int dir);

/** slot_filter() - hand the policy's filter to the child behind @sock. Returns: 0 or negative errno */
int slot_filter(const Init *init, int sock);

/**
 * slot_narrow() - a command group with limits of its own, new or with those of its next command
 * @dir:    consumed where it succeeds
 * @groups: on v1 directories of @n further groups that its child enters; borrowed
 *
 * Returns: 0, -EBUSY while a command or its child is there, or negative errno.
 */
int slot_narrow(Init *init, uint32_t slot, int dir, const int *groups, unsigned n);

/** slot_park() - have a child parked, if none is and no command runs */
void slot_park(Init *init, Slot *slot);

/** slot_want_next() - want a child parked in the slot that the front takes next */
void slot_want_next(Init *init);

/** park_idle() - nothing happens: park a child where one is wanted, in the slot used longest ago first */
void park_idle(Init *init);

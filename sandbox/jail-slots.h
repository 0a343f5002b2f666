#pragma once
/*
 * jail-slots: what the front gets of a running jail: its descriptors, and further command groups.
 */
#include "sandbox/jail.h"

/**
 * jail_give_fds() - what the front gets, in the order of JailFd; once
 * @ret_fds: room for _JAIL_FD_MAX, owned by the caller; -EBADF where there is none
 *
 * The jail keeps but its pidfd, its upper, and init's socket (it does not end because a front lets go of that):
 * there may be a thousand jails, and each shell's clone copies all descriptors.
 *
 * Returns: 0 or negative errno.
 */
int jail_give_fds(Jail *jail, int *ret_fds, Error *err);

/**
 * jail_slot() - one more command group, or one with limits below the jail's for its next command
 * @slot:    one that this call made before, with limits, and in which nothing runs; SLOT_ANY: a new one
 * @limits:  all 0: as the jail's, for a new one alone
 * @ret_fds: _SLOT_FD_NARROW_MAX of them, owned by the caller; -EBADF where there is none
 *
 * Returns: 0, -EBUSY where something runs in it, or negative errno.
 */
int jail_slot(Jail *jail, uint32_t slot, const CommandLimits *limits, uint32_t *ret_slot,
              int *ret_fds, Error *err);

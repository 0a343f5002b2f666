#pragma once
/*
 * slot-groups: the groups of one slot: one command and all that it starts. A slot is *narrow* where its
 * command has limits below the jail's: then it has memory and pids of its own as well.
 *
 *   v2   BASE/N/cmd/S has the controllers; cmd hands them on from the first narrow slot
 *   v1   BASE/N.cmd/S in the memory and pids trees; init's parked child enters it, which waits for RCU:
 *        the price of narrow slots, which no other command pays
 */
#include "sandbox/groups.h"

/** slot_group_make() - the v2 group of slot @slot in @cmd. Returns: 0 or negative errno */
int slot_group_make(int cmd, unsigned slot, uint32_t init_uid, Error *err);

/**
 * groups_slot_dir() - a slot's v2 directory as a mount of its own, so that ".." leads nowhere
 * Returns: O_PATH descriptor owned by the caller, or negative errno.
 */
int groups_slot_dir(const Hierarchy *hierarchy, uint64_t number, unsigned slot, Error *err);

typedef struct SlotOrder {
        unsigned slot;
        bool fresh;  /* it does not exist yet */
        bool narrow; /* one that exists is */
        uint32_t init_uid;
        CommandLimits limits;
} SlotOrder;

/**
 * groups_slot() - make a slot, or give an empty narrow one the limits of its next command
 * @ret_fds: _SLOT_FD_NARROW_MAX entries, owned by the caller; -EBADF where there is none
 *
 * Groups are used again, since a group stays in the kernel as long as a page that it was charged for. Where
 * an earlier command left more than SLOT_LEFT_MAX of files behind, which would count against the next one,
 * the group is given up for a new one of the same name.
 *
 * Returns: 0, -EBUSY while a process is left in it, or negative errno.
 */
int groups_slot(const Groups *groups, const SlotOrder *order, int *ret_fds, Error *err);

#define SLOT_LEFT_MAX (1u << 20)

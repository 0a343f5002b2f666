#pragma once
/*
 * slots: the command groups of one jail. A command takes a free slot; what it left running keeps the
 * slot, and its time limits, until nothing of it is left. A limit ends everything in the slot, daemons
 * in sessions of their own included, through cgroup.kill.
 */
#include "supervisor/front/commands/commands.h"

typedef struct Slots Slots;
typedef struct Slot Slot;

/** slots_new() - none yet. Returns: 0 or -ENOMEM */
int slots_new(Front *front, Slots **ret);
/** slots_free() - Returns: NULL */
Slots *slots_free(Slots *slots);
DEFINE_SCOPED(Slots *, slots_free);
/**
 * slots_add() - one more, free
 * @fds_consume: _SLOT_FD_NARROW_MAX of them as enum SlotFd; -EBADF where there is none
 *
 * Returns: 0 or negative errno.
 */
int slots_add(Slots *slots, unsigned number, bool narrow, const int *fds_consume);
/** slots_find() - by number; NULL */
Slot *slots_find(Slots *slots, unsigned number);
/** slots_busy() - in how many a command, or what one left, may be; looks at those with leftovers */
unsigned slots_busy(Slots *slots);
/** slots_turn() - how often one was taken: rises with every command */
uint64_t slots_turn(const Slots *slots);
/** slots_n() - how many there are */
unsigned slots_n(const Slots *slots);

/** slots_take() - a free one, in use from now on; NULL where there is none of that kind */
Slot *slots_take(Slots *slots, bool narrow);
/** slot_renew() - new descriptors of a narrow one, as for slots_add() */
void slot_renew(Slot *slot, const int *fds_consume);
/** slot_is_narrow() - its command has limits, and counters, of its own */
bool slot_is_narrow(const Slot *slot);
/** slot_fd() - one of enum SlotFd, borrowed; -EBADF where it has none */
int slot_fd(const Slot *slot, unsigned which);
/** slot_number() - as the monitor and init know it */
unsigned slot_number(const Slot *slot);

/** SlotLimitFn - a limit ended what was in the slot: CAUSE_WALL_TIMEOUT, CAUSE_CPU_TIMEOUT or CAUSE_OOM */
typedef void (*SlotLimitFn)(Cause cause, void *userdata);

typedef struct SlotLimits {
        uint64_t wall_usec; /* 0: none */
        uint64_t cpu_usec;  /* 0: none */
        SlotLimitFn limit;
        void *userdata;
} SlotLimits;

/** slot_arm() - start the clocks of the command that is about to run in it */
int slot_arm(Slot *slot, const SlotLimits *limits, Error *err);
/** slot_wall_left() - until the limit of time ends what is in it. Returns: is there one */
bool slot_wall_left(const Slot *slot, uint64_t *ret_usec);
/** slot_kill() - end everything in it. Returns: 0 or negative errno */
int slot_kill(Slot *slot);
/** slots_kill() - the same for every one in which something may be. Returns: 0, or the first negative errno */
int slots_kill(Slots *slots);
/** slots_hold() - the clocks of all that runs stand still (@hold), or go on with what was left */
void slots_hold(Slots *slots, bool hold);
/** slots_dying() - is something of what was killed in the last two seconds still there */
bool slots_dying(Slots *slots);
/** slot_release() - its command ended; where something is @left of it: free as soon as nothing is */
void slot_release(Slot *slot, bool left);

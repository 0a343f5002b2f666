/*
 * jail-slots: see jail-slots.h.
 */
#include "sandbox/jail-slots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/sandbox.h"
#include "sandbox/slot-groups.h"

int jail_give_fds(Jail *jail, int *ret_fds, Error *err) {
        autoclose int pidfd = fcntl(jail->pidfd, F_DUPFD_CLOEXEC, 3);
        int init = pidfd < 0 ? -1 : fcntl(jail->fds[JAIL_FD_INIT], F_DUPFD_CLOEXEC, 3);

        if (init < 0)
                return error_set(err, -errno, "duplicate a jail's descriptors");
        memcpy(ret_fds, jail->fds, sizeof(jail->fds));
        for (unsigned i = 0; i < _JAIL_FD_MAX; i++)
                jail->fds[i] = -EBADF;
        jail->fds[JAIL_FD_INIT] = init;
        ret_fds[JAIL_FD_PIDFD] = TAKE_FD(pidfd);
        groups_close_unused(&jail->groups);
        return 0;
}

int jail_slot(Jail *jail, uint32_t slot, const CommandLimits *limits, uint32_t *ret_slot,
              int *ret_fds, Error *err) {
        bool narrow = limits->memory_bytes || limits->pids;
        SlotOrder order = { .slot = slot,
                            .fresh = slot == SLOT_ANY,
                            .narrow = narrow,
                            .init_uid = jail->id_base + JAIL_INIT_ID,
                            .limits = *limits };
        Groups groups =
                GROUPS_EMPTY; /* the jail's own has what its counters need, whatever fails here */
        int r = narrow ? plan_check_command(limits, err) : 0;

        if (r < 0)
                return r;
        if (jail->state != JAIL_RUNNING)
                return error_say(err, -EINVAL, "the jail is not running");
        if (order.fresh && jail->next_slot >= JAIL_SLOTS_MAX)
                return error_say(err, -EMFILE, "the jail has %u command groups already",
                                 JAIL_SLOTS_MAX);
        if (!order.fresh && !narrow)
                return error_say(err, -EINVAL, "no limit is narrowed");
        if (!order.fresh && (slot >= JAIL_SLOTS_MAX || !(jail->narrow & (1ull << slot))))
                return error_say(err, -ENOENT, "the jail has no narrow slot %u", slot);
        if (order.fresh)
                order.slot = jail->next_slot++; /* one that fails half-made is not used again */
        r = groups_open(&groups, &jail->sandbox->hierarchy, jail->number, err);
        if (r == 0)
                r = groups_slot(&groups, &order, ret_fds, err);
        groups_close(&groups);
        if (r < 0)
                return r;
        if (narrow)
                jail->narrow |= 1ull << order.slot;
        *ret_slot = order.slot;
        return 0;
}

/*
 * jail-slots: see jail-slots.h.
 */
#include "sandbox/jail-slots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "sandbox/sandbox.h"
#include "sandbox/slot-groups.h"

int jail_fds(Jail *jail, int *ret_fds, Error *err) {
        int fds[_JAIL_FD_MAX];
        unsigned i;

        for (i = 0; i < _JAIL_FD_MAX; i++) {
                int fd = i == JAIL_FD_PIDFD ? jail->pidfd : jail->fds[i];

                fds[i] = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (fd >= 0 && fds[i] < 0) {
                        int r = -errno;

                        fds_close(fds, i);
                        return error_set(err, r, "duplicate a jail's descriptors");
                }
        }
        memcpy(ret_fds, fds, sizeof(fds));
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
        r = groups_slot(&jail->groups, &order, ret_fds, err);
        if (r < 0)
                return r;
        if (narrow)
                jail->narrow |= 1ull << order.slot;
        *ret_slot = order.slot;
        return 0;
}

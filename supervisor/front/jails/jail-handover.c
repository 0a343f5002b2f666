/*
 * jail-handover: see jail-handover.h.
 */
#include "supervisor/front/jails/jail-handover.h"

#include "base/owned.h"
#include "supervisor/front/commands/slots.h"
#include "supervisor/front/jails/jail-facts.h"

/* The descriptors as the reply's bits name them. */
static void take_fds(FrontJail *jail, const MonitorReply *reply, int *fds, unsigned n_fds) {
        unsigned next = 0;

        for (unsigned i = 0; i < _JAIL_FD_MAX && next < n_fds; i++)
                if (reply->present & BIT(i))
                        jail->fds[i] = TAKE_FD(fds[next++]);
}

static int take_slot(FrontJail *jail, unsigned number, int *fds) {
        int owned[_SLOT_FD_NARROW_MAX];

        for (unsigned i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                owned[i] = i < SLOT_FD_DIR ? TAKE_FD(fds[i]) : -EBADF;
        return slots_add(jail->slots, number, false, owned);
}

int jail_handover(FrontJail *jail, const MonitorReply *reply, int *fds, unsigned n_fds,
                  InitBrokenFn on_init, Error *err) {
        const uint32_t may_lack = BIT(JAIL_FD_PIDFD) | BIT(JAIL_FD_MEMORY_PEAK) |
                                  BIT(JAIL_FD_PIDS_PEAK) | BIT(JAIL_FD_THROTTLED);
        InitLinkSpec init = { -EBADF, jail->owner_uid, on_init, jail };
        int r;

        take_fds(jail, reply, fds, n_fds);
        for (unsigned i = 0; i < _JAIL_FD_MAX; i++)
                if (jail->fds[i] < 0 && !(may_lack & BIT(i)))
                        return error_say(err, -EPROTO, "the monitor left out descriptor %u", i);
        init.fd = TAKE_FD(jail->fds[JAIL_FD_INIT]);
        r = init_link_new_consume(jail->front, &init, &jail->init, err);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < JAIL_SLOTS_FIRST; i++) {
                r = take_slot(jail, i, jail->fds + JAIL_FD_SLOT_0_KILL + i * SLOT_FD_DIR);
                if (r < 0)
                        return error_set(err, r, "take the jail's slots");
        }
        return 0;
}

/*
 * slot-requests: see slot-requests.h.
 *
 * A narrow slot is asked for by every command that needs one: its limits are written for that command,
 * and only the monitor writes limits. An empty one of the jail is used again.
 */
#include "supervisor/front/commands/slot-requests.h"

#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/ids.h"
#include "supervisor/front/jails/init-link.h"
#include "supervisor/front/monitor-link.h"

typedef struct SlotWait { /* outlives the command and the jail, which may end before the reply */
        Front *front;
        char jail[ID_MAX];
        char command[ID_MAX];
        SlotReadyFn ready;
        bool narrow;
        uint32_t number; /* of the narrow slot that is in use for it; SLOT_ANY: none yet */
} SlotWait;

/* The descriptors as the reply's bits name them. */
static int take_fds(const MonitorReply *reply, int *fds, unsigned n_fds, int *ret_fds) {
        uint32_t present = reply->present;
        unsigned next = 0;

        if ((unsigned) __builtin_popcount(present) != n_fds || (present >> _SLOT_FD_NARROW_MAX) ||
            !(present & BIT(SLOT_FD_DIR)) || reply->handle >= JAIL_SLOTS_MAX)
                return -EPROTO;
        for (unsigned i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                ret_fds[i] = present & BIT(i) ? TAKE_FD(fds[next++]) : -EBADF;
        return 0;
}

/* Tell init of the group; init takes messages in order, so a command may follow at once. */
static int introduce(FrontJail *jail, uint32_t number, bool narrow, int *fds, Error *err) {
        InitSlot slot = { .head.kind = INIT_SLOT, .slot = number, .narrow = narrow };
        const unsigned for_init[] = { SLOT_FD_DIR, SLOT_FD_MEMORY_DIR, SLOT_FD_PIDS_DIR };
        int dirs[ELEMENTS(for_init)];
        InitMessage packet = { &slot, sizeof slot, dirs, 0 };
        int r;

        for (unsigned i = 0; i < ELEMENTS(for_init); i++)
                if (fds[for_init[i]] >= 0)
                        dirs[packet.n_fds++] = fds[for_init[i]];
        r = init_link_send(front_jail_init(jail), &packet, NULL, NULL, err);
        for (unsigned i = 0; i < ELEMENTS(for_init); i++)
                fds_close(&fds[for_init[i]], 1);
        return r;
}

static int keep_slot(FrontJail *jail, const SlotWait *wait, uint32_t number, int *fds, Error *err) {
        Slot *known = slots_find(front_jail_slots(jail), number);
        int r;

        if (known && wait->number != number) {
                fds_close(fds, _SLOT_FD_NARROW_MAX);
                return error_say(err, -EPROTO, "the monitor made slot %u twice", number);
        }
        if (known) {
                slot_renew(known, fds);
                return 0;
        }
        r = slots_add(front_jail_slots(jail), number, wait->narrow, fds);
        return r < 0 ? error_set(err, r, "take a new slot") : 0;
}

static int take_reply(FrontJail *jail, const SlotWait *wait, const MonitorReply *reply, int *fds,
                      unsigned n_fds, Error *err) {
        int owned[_SLOT_FD_NARROW_MAX];
        int r;

        if (reply->code < 0)
                return monitor_refusal(reply, err);
        r = take_fds(reply, fds, n_fds, owned);
        if (r < 0)
                return error_say(err, r, "the monitor's answer for a slot is not whole");
        r = introduce(jail, (uint32_t) reply->handle, wait->narrow, owned, err);
        if (r < 0) {
                fds_close(owned, _SLOT_FD_NARROW_MAX);
                return r;
        }
        return keep_slot(jail, wait, (uint32_t) reply->handle, owned, err);
}

static void on_reply(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree SlotWait *wait = userdata;
        FrontJail *jail = front_jail_find(wait->front, wait->jail, 0);
        Error err = ERROR_EMPTY;
        Slots *slots;
        Slot *slot;
        int r;

        if (!jail || front_jail_state(jail) != FRONT_JAIL_READY)
                return; /* its commands have ended, or will with it */
        slots = front_jail_slots(jail);
        r = take_reply(jail, wait, reply, fds, n_fds, &err);
        slot = wait->number != SLOT_ANY ? slots_find(slots, wait->number) : NULL;
        if (slot && r < 0) {
                slot_release(slot,
                             true); /* what it holds is not known: seen empty before it is used */
                slot = NULL;
        } else if (!slot && (r == 0 || !wait->narrow)) {
                slot = slots_take(slots, wait->narrow); /* another one may be free by now */
        }
        if (!slot && err.code == 0)
                (void) error_say(&err, -EAGAIN, "no command group is free in this jail");
        wait->ready(jail, wait->command, slot, &err);
}

static int send_request(const SlotWait *wait, FrontJail *jail, const CommandLimits *limits,
                        Error *err) {
        Monitor *monitor = wait->front->monitor;
        SlotRequest request = { .head.kind = REQUEST_SLOT,
                                .handle = front_jail_handle(jail),
                                .slot = wait->number };
        void *userdata = (void *) (uintptr_t) wait;

        if (limits)
                request.limits = *limits;
        return monitor_send(monitor, &request, sizeof request, NULL, 0, on_reply, userdata, err);
}

int slot_request(FrontJail *jail, const char *command, const CommandLimits *limits,
                 SlotReadyFn ready, Error *err) {
        Slots *slots = front_jail_slots(jail);
        autofree SlotWait *wait = calloc(1, sizeof *wait);
        Slot *slot = limits ? slots_take(slots, true) : NULL;
        int r;

        if (!slot && slots_n(slots) >= JAIL_SLOTS_MAX)
                return error_say(err, -EBUSY,
                                 "this jail runs %u commands (leftovers included) already: "
                                 "end some, or use another jail",
                                 JAIL_SLOTS_MAX);
        if (wait) {
                *wait = (SlotWait){ .front = front_jail_front(jail),
                                    .ready = ready,
                                    .narrow = limits != NULL,
                                    .number = slot ? slot_number(slot) : SLOT_ANY };
                (void) snprintf(wait->jail, sizeof wait->jail, "%s", front_jail_id(jail));
                (void) snprintf(wait->command, sizeof wait->command, "%s", command);
        }
        r = wait ? send_request(wait, jail, limits, err)
                 : error_set(err, -ENOMEM, "ask for a command group");
        if (r < 0) {
                if (slot)
                        slot_release(slot, false);
                return r;
        }
        (void) TAKE_PTR(wait);
        return 0;
}

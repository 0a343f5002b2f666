/*
 * jail-still: see jail-still.h.
 *
 * A frozen process of the v2 tree can be killed: ending a command, or the jail, needs no thawing. What forks
 * while it is being frozen has children that are born frozen, so no fork bomb outruns it.
 */
#include "supervisor/front/jails/jail-still.h"

#include <sys/epoll.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/commands/slots.h"
#include "supervisor/front/jails/jails.h"

#define SETTLE_USEC     2000000
#define SETTLE_ACCURACY 100000

struct StillWait {
        FrontJail *jail;          /* borrowed, owns us */
        int events;               /* owned: cgroup.events, opened for this wait */
        sd_event_source *changed; /* owned, like the next */
        sd_event_source *late;
        JailStillFn done;
        void *userdata;
};

static StillWait *still_wait_free(StillWait *wait) {
        if (!wait)
                return NULL;
        sd_event_source_disable_unref(wait->changed);
        sd_event_source_disable_unref(wait->late);
        owned_close(&wait->events);
        free(wait);
        return NULL;
}
DEFINE_SCOPED(StillWait *, still_wait_free);

static void end_wait(JailStill *still, FrontJail *jail, bool settled) {
        SCOPED(still_wait_free) StillWait *wait = TAKE_PTR(still->wait);

        if (wait)
                wait->done(jail, settled, wait->userdata);
}

/* ---- who holds it -------------------------------------------------------------------------------- */

static void hold_clocks(FrontJail *jail, bool hold) {
        slots_hold(front_jail_slots(jail), hold);
        front_jail_hold_wall(jail, hold);
}

static void begin(FrontJail *jail, JailStill *still) {
        still->since_usec = units_monotonic();
        hold_clocks(jail, true);
}

static void end(FrontJail *jail, JailStill *still) {
        still->total_usec += units_monotonic() - still->since_usec;
        hold_clocks(jail, false);
        end_wait(still, jail, false);
}

int front_jail_freeze(FrontJail *jail, bool on, Error *err) {
        JailStill *still = front_jail_still(jail);
        bool changes = still->holders == (on ? 0 : 1);
        int r = 0;

        if (!on && still->holders == 0)
                return 0;
        if (changes)
                r = fd_write_all(front_jail_fd(jail, JAIL_FD_FREEZE), on ? "1" : "0", 1);
        if (r < 0)
                return error_set(err, r, "%s jail %s", on ? "freeze" : "thaw", front_jail_id(jail));
        still->holders += on ? 1u : -1u;
        if (changes && on)
                begin(jail, still);
        else if (changes)
                end(jail, still);
        return 0;
}

int jail_still_set(FrontJail *jail, bool on, Error *err) {
        JailStill *still = front_jail_still(jail);
        int r;

        if (still->by_user == on)
                return 0;
        r = front_jail_freeze(jail, on, err);
        if (r == 0)
                still->by_user = on;
        return r;
}

bool front_jail_is_frozen(const FrontJail *jail) {
        return front_jail_still(jail)->by_user;
}

uint64_t front_jail_frozen_usec(const FrontJail *jail) {
        const JailStill *still = front_jail_still(jail);

        return still->total_usec + (still->holders ? units_monotonic() - still->since_usec : 0);
}

/* ---- until it stands still ----------------------------------------------------------------------- */

static bool is_frozen(int events) {
        uint64_t frozen = 0;

        return fd_read_keyed(events, "frozen", &frozen) == 0 && frozen;
}

bool jail_still_is_settled(const FrontJail *jail) {
        autoclose int events = front_jail_group_open(jail, "cgroup.events");

        return is_frozen(events);
}

static int on_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        StillWait *wait = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        if (is_frozen(wait->events)) /* reading it makes the next change a new event */
                end_wait(front_jail_still(wait->jail), wait->jail, true);
        return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        StillWait *wait = userdata;

        (void) source;
        (void) usec;
        end_wait(front_jail_still(wait->jail), wait->jail, jail_still_is_settled(wait->jail));
        return 0;
}

int jail_still_await(FrontJail *jail, JailStillFn done, void *userdata, Error *err) {
        SCOPED(still_wait_free) StillWait *wait = calloc(1, sizeof *wait);
        JailStill *still = front_jail_still(jail);
        sd_event *event = front_jail_front(jail)->event;
        int r;

        if (still->wait)
                return error_say(err, -EBUSY, "jail %s is being frozen", front_jail_id(jail));
        if (!wait)
                return error_set(err, -ENOMEM, "wait until jail %s stands still",
                                 front_jail_id(jail));
        *wait = (StillWait){ .jail = jail,
                             .events = front_jail_group_open(jail, "cgroup.events"),
                             .done = done,
                             .userdata = userdata };
        r = wait->events < 0 ? wait->events
                             : sd_event_add_io(event, &wait->changed, wait->events, EPOLLPRI,
                                               on_changed, wait);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &wait->late, CLOCK_MONOTONIC, SETTLE_USEC,
                                               SETTLE_ACCURACY, on_late, wait);
        if (r < 0)
                return error_set(err, r, "wait until jail %s stands still", front_jail_id(jail));
        (void) sd_event_source_set_description(wait->changed, "jail-frozen");
        still->wait = TAKE_PTR(wait);
        return 0;
}

void jail_still_deinit(JailStill *still) {
        end_wait(still, NULL, false);
}

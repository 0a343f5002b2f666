/*
 * jail-still: see jail-still.h.
 *
 * A frozen process of the v2 tree can be killed: ending a command, or the jail, needs no thawing. What forks
 * while it is being frozen has children that are born frozen, so no fork bomb outruns it.
 */
#include "supervisor/front/jails/jail-still.h"

#include <sys/epoll.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/commands/slots.h"
#include "supervisor/front/jails/jail-wall.h"
#include "supervisor/front/jails/jails.h"

#define LATE_ACCURACY 100000

struct JailHold {
        FrontJail *jail; /* borrowed; NULL: nothing is left of it */
        JailHold *next;  /* of the same jail */
        int events;      /* owned, like the next: cgroup.events, opened for this wait */
        sd_event_source *changed, *late;
        JailStillFn done; /* NULL: it does not wait */
        void *userdata;
};

static bool is_ready(const FrontJail *jail) {
        return jail && front_jail_state(jail) == FRONT_JAIL_READY;
}

static int refuse_ended(Error *err) {
        return error_say(err, -ESRCH, "the jail has ended");
}

/* ---- freeze and thaw ----------------------------------------------------------------------------- */

static int freeze(FrontJail *jail, bool on, Error *err) {
        int r = fd_write_all(front_jail_fd(jail, JAIL_FD_FREEZE), on ? "1" : "0", 1);

        return r < 0 ? error_set(err, r, "%s jail %s", on ? "freeze" : "thaw", front_jail_id(jail))
                     : 0;
}

static void hold_clocks(FrontJail *jail, bool hold) {
        slots_hold(front_jail_slots(jail), hold);
        jail_wall_hold(jail, hold);
}

/* ---- who holds it -------------------------------------------------------------------------------- */

static void wait_end(JailHold *hold) {
        hold->changed = sd_event_source_disable_unref(hold->changed);
        hold->late = sd_event_source_disable_unref(hold->late);
        owned_close(&hold->events);
        hold->events = -EBADF;
        hold->done = NULL;
}

int jail_hold_new(FrontJail *jail, JailHold **ret, Error *err) {
        autofree JailHold *hold = calloc(1, sizeof(*hold));
        JailStill *still;
        int r = 0;

        if (!is_ready(jail))
                return refuse_ended(err);
        if (!hold)
                return error_set(err, -ENOMEM, "freeze jail %s", front_jail_id(jail));
        still = front_jail_still(jail);
        if (!still->holds)
                r = freeze(jail, true, err);
        if (r < 0)
                return r;
        if (!still->holds) {
                still->since_usec = units_monotonic();
                hold_clocks(jail, true);
        }
        *hold = (JailHold){ .jail = jail, .next = still->holds, .events = -EBADF };
        *ret = still->holds = hold;
        (void) TAKE_PTR(hold);
        return 0;
}

/* The last lets it run, unless it is about to end: then it needs that no more */
static int thaw(const JailHold *hold, Error *err) {
        const JailStill *still = front_jail_still(hold->jail);

        return is_ready(hold->jail) && still->holds == hold && !hold->next
                       ? freeze(hold->jail, false, err)
                       : 0;
}

static void leave(JailHold *hold) {
        JailStill *still = front_jail_still(hold->jail);
        JailHold **at = &still->holds;

        while (*at != hold)
                at = &(*at)->next;
        *at = hold->next;
        if (still->holds)
                return;
        still->total_usec += units_monotonic() - still->since_usec;
        hold_clocks(hold->jail, false);
}

JailHold *jail_hold_free(JailHold *hold) {
        Error err = ERROR_EMPTY;

        if (!hold)
                return NULL;
        wait_end(hold);
        if (hold->jail && thaw(hold, &err) < 0)
                log_event(LOG_ERR, "jail cannot be thawed", F("JAIL", front_jail_id(hold->jail)),
                          F_ERR(&err));
        if (hold->jail)
                leave(hold);
        free(hold);
        return NULL;
}

FrontJail *jail_hold_jail(const JailHold *hold) {
        return hold && is_ready(hold->jail) ? hold->jail : NULL;
}

/* ---- until it stands still ----------------------------------------------------------------------- */

/* The callback may free the hold. */
static void conclude(JailHold *hold, const Error *err) {
        JailStillFn done = hold->done;
        void *userdata = hold->userdata;
        FrontJail *jail = jail_hold_jail(hold);
        Error ended = ERROR_EMPTY;

        wait_end(hold);
        if (!jail)
                (void) refuse_ended(&ended);
        if (done)
                done(jail, jail ? err : &ended, userdata);
}

static bool is_still(int events) {
        uint64_t frozen = 0;

        return fd_read_keyed(events, "frozen", &frozen) == 0 && frozen != 0;
}

static int on_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source;
        (void) revents;
        if (is_still(fd)) /* reading it makes the next change a new event */
                conclude(userdata, NULL);
        return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        JailHold *hold = userdata;
        Error err = ERROR_EMPTY;

        (void) source;
        (void) usec;
        if (is_still(hold->events)) {
                conclude(hold, NULL);
                return 0;
        }
        error_say(&err, -EBUSY,
                  "a command of jail %s is in a call of the kernel that takes long, so its files "
                  "do not stand still: try again",
                  front_jail_id(hold->jail));
        conclude(hold, &err);
        return 0;
}

/* An open file of its own: others may watch the same group */
static int watch(JailHold *hold, uint64_t usec) {
        sd_event *event = front_jail_front(hold->jail)->event;
        int r = sd_event_add_io(event, &hold->changed, hold->events, EPOLLPRI, on_changed, hold);

        if (r >= 0)
                r = sd_event_add_time_relative(event, &hold->late, CLOCK_MONOTONIC, usec,
                                               LATE_ACCURACY, on_late, hold);
        if (r >= 0)
                (void) sd_event_source_set_description(hold->changed, "jail-still");
        return r;
}

int jail_hold_await(JailHold *hold, uint64_t usec, JailStillFn done, void *userdata, Error *err) {
        int r;

        if (!jail_hold_jail(hold))
                return refuse_ended(err);
        if (hold->done)
                return error_say(err, -EBUSY, "jail %s is being frozen", front_jail_id(hold->jail));
        hold->events = r = front_jail_group_open(hold->jail, "cgroup.events");
        if (r >= 0 && is_still(hold->events)) {
                wait_end(hold);
                return 1;
        }
        if (r >= 0)
                r = watch(hold, usec);
        if (r < 0) {
                wait_end(hold);
                return error_set(err, r, "wait until jail %s stands still",
                                 front_jail_id(hold->jail));
        }
        hold->done = done;
        hold->userdata = userdata;
        return 0;
}

/* ---- its user's ---------------------------------------------------------------------------------- */

static int let_go(JailStill *still, Error *err) {
        autofree JailHold *hold = NULL;
        Error meanwhile = ERROR_EMPTY;
        int r = thaw(still->user, err);

        if (r < 0)
                return r;
        hold = TAKE_PTR(still->user);
        leave(hold);
        error_say(&meanwhile, -ECANCELED, "the jail was thawed while it was being frozen");
        conclude(hold, &meanwhile);
        return 0;
}

int jail_still_set(FrontJail *jail, bool on, Error *err) {
        JailStill *still = front_jail_still(jail);

        if (on == (still->user != NULL))
                return 0;
        return on ? jail_hold_new(jail, &still->user, err) : let_go(still, err);
}

int jail_still_await(FrontJail *jail, uint64_t usec, JailStillFn done, void *userdata, Error *err) {
        return jail_hold_await(front_jail_still(jail)->user, usec, done, userdata, err);
}

bool front_jail_is_frozen(const FrontJail *jail) {
        return front_jail_still(jail)->user != NULL;
}

uint64_t front_jail_frozen_usec(const FrontJail *jail) {
        const JailStill *still = front_jail_still(jail);

        return still->total_usec + (still->holds ? units_monotonic() - still->since_usec : 0);
}

void jail_still_deinit(JailStill *still) {
        SCOPED(jail_hold_free) JailHold *user = TAKE_PTR(still->user);

        while (still->holds) {
                JailHold *hold = still->holds;

                still->holds = hold->next;
                hold->jail = NULL;
                conclude(hold, NULL);
        }
}

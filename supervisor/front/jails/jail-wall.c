/*
 * jail-wall: see jail-wall.h.
 */
#include "supervisor/front/jails/jail-wall.h"

#include "base/units.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/jails/jail-book.h"
#include "supervisor/front/jails/jail-facts.h"
#include "supervisor/front/jails/jail-log.h"

#define ACCURACY_USEC 10000

static int on_wall(sd_event_source *source, uint64_t usec, void *userdata) {
        const JailEvent event = { .kind = JAIL_EVENT_LIMIT, .limit = HIT_WALL };
        FrontJail *jail = userdata;

        (void) source;
        (void) usec;
        commands_set_cause(jail, CAUSE_WALL_TIMEOUT);
        jail_book_set_end(jail, JAIL_END_WALL_TIMEOUT);
        jail_log_tell(jail, &event);
        front_jail_end(jail, NULL, NULL);
        return 0;
}

int jail_wall_start(FrontJail *jail, Error *err) {
        int r;

        if (jail->limits.wall_usec == 0)
                return 0;
        r = sd_event_add_time_relative(jail->front->event, &jail->wall, CLOCK_MONOTONIC,
                                       jail->limits.wall_usec, ACCURACY_USEC, on_wall, jail);
        return r < 0 ? error_set(err, r, "start the jail's clock") : 0;
}

void jail_wall_hold(FrontJail *jail, bool hold) {
        uint64_t now = units_monotonic(), end = 0;

        if (!jail->wall || hold == (jail->wall_left_usec > 0) ||
            sd_event_source_get_time(jail->wall, &end) < 0)
                return;
        if (!hold)
                (void) sd_event_source_set_time(jail->wall, now + jail->wall_left_usec);
        (void) sd_event_source_set_enabled(jail->wall, hold ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
        jail->wall_left_usec = !hold ? 0 : end > now ? end - now : 1;
}

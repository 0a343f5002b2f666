/*
 * jail-quiet: see jail-quiet.h.
 */
#include "supervisor/front/jail-quiet.h"

#include "base/log.h"
#include "supervisor/front/jails.h"

static int freeze(Front *front, const char *id, bool on, Error *err) {
        FrontJail *jail = front_jail_find(front, id, 0);

        if (!jail || front_jail_state(jail) != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "jail %.16s has ended", id);
        return front_jail_freeze(jail, on, err);
}

int jail_quiet_begin(Front *front, const char *id, Error *err) {
        return freeze(front, id, true, err);
}

void jail_quiet_end(Front *front, const char *id) {
        Error err = ERROR_EMPTY;

        if (freeze(front, id, false, &err) < 0 && err.code != -ESRCH)
                log_event(LOG_ERR, "jail cannot be thawed", F("JAIL", id), F_ERR(&err));
}

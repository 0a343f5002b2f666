/*
 * jail-quiet: see jail-quiet.h.
 */
#include "supervisor/front/jails/jail-quiet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/jails/jails.h"

/* Each wait has an open file of its own and hears of changes: looks are for LOOKS_MAX, and a jail that has ended */
#define LOOK_USEC     100000u
#define LOOK_ACCURACY 10000u
#define LOOKS_MAX     100u /* a call of the kernel may take so long, and no longer */

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

/* ---- until it stands still ----------------------------------------------------------------------- */

typedef struct Awaiting {
        Front *front;
        char jail[ID_MAX];
        int events;               /* owned: of its commands' group */
        sd_event_source *changed; /* owned, like the next */
        sd_event_source *look;
        unsigned looks;
        JailQuietFn ready;
        void *userdata;
} Awaiting;

static Awaiting *awaiting_free(Awaiting *awaiting) {
        if (!awaiting)
                return NULL;
        sd_event_source_disable_unref(awaiting->changed);
        sd_event_source_disable_unref(awaiting->look);
        owned_close(&awaiting->events);
        free(awaiting);
        return NULL;
}
DEFINE_SCOPED(Awaiting *, awaiting_free);

static bool is_still(int events) {
        uint64_t frozen = 0;

        return fd_read_keyed(events, "frozen", &frozen) == 0 && frozen != 0;
}

static void conclude(Awaiting *awaiting, const Error *err) {
        SCOPED(awaiting_free) Awaiting *owned = awaiting;

        if (err)
                jail_quiet_end(owned->front, owned->jail);
        owned->ready(err, owned->userdata);
}

static int on_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void) source;
        (void) revents;
        if (is_still(fd)) /* reading it makes the next change a new event */
                conclude(userdata, NULL);
        return 0;
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        Awaiting *awaiting = userdata;
        const FrontJail *jail = front_jail_find(awaiting->front, awaiting->jail, 0);
        Error err = ERROR_EMPTY;

        if (!jail || front_jail_state(jail) != FRONT_JAIL_READY)
                error_say(&err, -ESRCH, "jail %.16s has ended", awaiting->jail);
        else if (++awaiting->looks > LOOKS_MAX)
                error_say(&err, -EBUSY,
                          "a command of jail %.16s is in a call of the kernel that takes long, so "
                          "its "
                          "files do not stand still: try again",
                          awaiting->jail);
        if (err.code == 0 && !is_still(awaiting->events)) {
                (void) sd_event_source_set_time(source, usec + LOOK_USEC);
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
                return 0;
        }
        conclude(awaiting, err.code < 0 ? &err : NULL);
        return 0;
}

/* An open file of its own: others may watch the same group */
static int await(Front *front, const FrontJail *jail, JailQuietFn ready, void *userdata,
                 Error *err) {
        SCOPED(awaiting_free) Awaiting *awaiting = calloc(1, sizeof(*awaiting));
        int r;

        if (!awaiting)
                return error_set(err, -ENOMEM, "wait until a jail stands still");
        *awaiting = (Awaiting){ .front = front, .ready = ready, .userdata = userdata };
        (void) snprintf(awaiting->jail, sizeof(awaiting->jail), "%s", front_jail_id(jail));
        awaiting->events = front_jail_group_open(jail, "cgroup.events");
        r = awaiting->events < 0
                    ? awaiting->events
                    : sd_event_add_io(front->event, &awaiting->changed, awaiting->events, EPOLLPRI,
                                      on_changed, awaiting);
        if (r >= 0)
                r = sd_event_add_time_relative(front->event, &awaiting->look, CLOCK_MONOTONIC,
                                               LOOK_USEC, LOOK_ACCURACY, on_look, awaiting);
        if (r < 0)
                return error_set(err, r, "wait until jail %s stands still", awaiting->jail);
        (void) sd_event_source_set_description(awaiting->changed, "jail-quiet");
        (void) TAKE_PTR(awaiting);
        return 0;
}

int jail_quiet_await(Front *front, const char *id, JailQuietFn ready, void *userdata, Error *err) {
        const FrontJail *jail;
        int r = jail_quiet_begin(front, id, err);

        if (r < 0)
                return r;
        jail = front_jail_find(front, id, 0);
        if (jail_still_is_settled(jail))
                return 1;
        r = await(front, jail, ready, userdata, err);
        if (r < 0)
                jail_quiet_end(front, id);
        return r;
}

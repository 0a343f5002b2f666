/*
 * warder-front: reads what clients and agents say, decides what may happen, and asks the monitor for it.
 * Runs as an id of its own without any capability; all its descriptors come from the monitor (enum
 * FrontFd in wire.h).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lockdown.h"
#include "base/log.h"
#include "supervisor/front/audit.h"
#include "supervisor/front/front.h"

#define START_FDS_MAX 1023 /* what start-up itself opened lies below */

static int fail(const Error *err) {
        log_event(LOG_ERR, "the front cannot start", F_ERR(err));
        return EXIT_FAILURE;
}

int main(void) {
        Front front;
        Error err = ERROR_EMPTY;
        int r;

        log_open("warder-front", LOG_INFO);
        if (fcntl(_FRONT_FD_MAX, F_GETFD) < 0) {
                fprintf(stderr, "warder-front: this program is started by warderd only\n");
                return EXIT_FAILURE;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        if (front_start(&front, &err) < 0 || lock_down(START_FDS_MAX, FRONT_FD_FILTER, &err) < 0) {
                r = fail(&err);
        } else {
                audit_start(front.audit);
                log_event(LOG_INFO, "front is serving");
                r = sd_event_loop(front.event) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        front_stop(&front);
        return r;
}

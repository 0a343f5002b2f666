/*
 * warder-front: reads what clients and agents say, decides what may happen, and asks the monitor for it.
 * Runs as an id of its own without any capability; all its descriptors come from the monitor (enum
 * FrontFd in wire.h).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/lockdown.h"
#include "base/log.h"
#include "supervisor/front/commands/audit.h"
#include "supervisor/front/front.h"
#include "supervisor/front/gate/notary.h"

#define START_FDS_MAX 1023 /* what start-up itself opened lies below */

static int fail(const Error *err) {
        log_event(LOG_ERR, "the front cannot start", F_ERR(err));
        return EXIT_FAILURE;
}

static bool is_file(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* First of all, before anything is read. Without it receipts are not signed, and say why. */
static int start_notary(void) {
        NotaryFds fds = { FRONT_FD_KEY, FRONT_FD_KEY_PUBLIC, FRONT_FD_ANCHORS };
        Error err = ERROR_EMPTY;
        int fd;

        if (!is_file(fds.key) || !is_file(fds.public_key) || !is_file(fds.anchors))
                return -EBADF;
        fd = notary_start(&fds, &err);
        if (fd < 0)
                log_event(LOG_ERR, "receipts are not signed", F_ERR(&err));
        return fd;
}

int main(void) {
        Front front;
        Error err = ERROR_EMPTY;
        int r, notary;

        log_open("warder-front", LOG_INFO);
        if (fcntl(_FRONT_FD_MAX, F_GETFD) < 0) {
                fprintf(stderr, "warder-front: this program is started by warderd only\n");
                return EXIT_FAILURE;
        }
        (void) signal(SIGPIPE, SIG_IGN);
        notary = start_notary();
        if (front_start(&front, notary, &err) < 0 ||
            lock_down(START_FDS_MAX, FRONT_FD_FILTER, &err) < 0) {
                r = fail(&err);
        } else {
                audit_start(front.audit);
                log_event(LOG_INFO, "front is serving");
                r = sd_event_loop(front.event) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        front_stop(&front);
        return r;
}

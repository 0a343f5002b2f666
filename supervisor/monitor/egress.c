/*
 * egress: see egress.h.
 *
 * An egress that dies alone is started again, at most once a second. The front has seen its socket's end and
 * has ended what needed that egress; it gets the new one's socket as an event. Jails go on.
 */
#include "supervisor/monitor/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/fds.h"
#include "base/log.h"
#include "filter-egress.h"
#include "supervisor/monitor/confined.h"
#include "supervisor/wire.h"

#define RESTART_USEC 1000000 /* one that dies at once does not keep the host busy */

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata) {
        MonitorReply event = { .kind = MONITOR_EGRESS };
        Monitor *monitor = userdata;
        Error err = ERROR_EMPTY;
        autoclose int fd = -EBADF;

        (void) usec;
        monitor->egress_restart = sd_event_source_disable_unref(source);
        if (monitor->phase != PHASE_SERVING || !monitor->requests)
                return 0; /* the next front brings its own */
        if (egress_start(monitor, &fd, &err) < 0)
                log_event(LOG_ERR, "egress cannot be started again", F_ERR(&err));
        else
                monitor_reply(monitor, &event, &fd, 1);
        return 0;
}

static void on_end(Monitor *monitor, int status) {
        if (monitor->phase == PHASE_SERVING && status != 0)
                log_event(LOG_ERR,
                          "egress ended: tasks that need a model fail, it is started again");
        if (monitor->phase == PHASE_SERVING && !monitor->egress_restart)
                (void) sd_event_add_time_relative(monitor->event, &monitor->egress_restart,
                                                  CLOCK_MONOTONIC, RESTART_USEC, 0, on_restart,
                                                  monitor);
        monitor_step(monitor);
}

int egress_start(Monitor *monitor, int *ret_fd, Error *err) {
        autoclose int ours = -EBADF, theirs = -EBADF, filter = -EBADF;
        ConfinedSpec spec = { .program = "warder-egress",
                              .ended = on_end,
                              .n_fds = 2,
                              .uid = monitor->egress_id,
                              .gid = monitor->egress_gid };
        int r;

        monitor->egress_restart = sd_event_source_disable_unref(monitor->egress_restart);
        confined_deinit(&monitor->egress);
        r = confined_pair(&ours, &theirs, err);
        if (r < 0)
                return r;
        filter = memfd_sealed("filter", filter_egress, sizeof filter_egress, false, err);
        if (filter < 0)
                return filter;
        spec.fds[0] = theirs;
        spec.fds[1] = filter;
        r = confined_start(&monitor->egress, &spec, err);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret_fd = r == 0 ? TAKE_FD(ours) : open("/dev/null", O_RDWR | O_CLOEXEC);
        return *ret_fd < 0 ? error_set(err, -errno, "open /dev/null") : 0;
}

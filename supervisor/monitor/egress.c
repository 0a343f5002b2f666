/*
 * egress: see egress.h.
 *
 * LIMIT: an egress that dies alone is not started again before the front is: the front holds the other
 * end of its socket, sees that end, and ends what needed a model. The jails go on.
 */
#include "supervisor/monitor/egress.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fds.h"
#include "base/log.h"
#include "filter-egress.h"
#include "supervisor/monitor/confined.h"

static void on_end(Monitor *monitor, int status) {
        if (monitor->phase == PHASE_SERVING && status != 0)
                log_event(
                        LOG_ERR,
                        "egress ended: tasks that need a model fail until the front's next start");
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

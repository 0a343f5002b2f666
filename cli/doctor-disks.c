/*
 * doctor-disks: see doctor-disks.h. Nothing is made: a device that is asked for may be there from then on.
 */
#include "cli/doctor-disks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"

#define CONTROL "/dev/loop-control"

/* Asked here and now: what a service's unit closes (DevicePolicy=) is open to us */
State disks_loop(const Check *check, char *found) {
        autoclose int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
        int error = errno;

        (void) check;
        if (fd >= 0) {
                found_set(found, "%s (a service: as its unit allows)", CONTROL);
                return STATE_OK;
        }
        found_set(found, "%s: %s", CONTROL, strerrorname_np(error));
        return error == EACCES && geteuid() != 0 ? STATE_UNKNOWN : STATE_MISSING;
}

/* Where the monitor looks for it, and nowhere else */
State disks_mke2fs(const Check *check, char *found) {
        static const char *const paths[] = { "/usr/sbin/mke2fs", "/sbin/mke2fs" };

        (void) check;
        for (size_t i = 0; i < ELEMENTS(paths); i++)
                if (access(paths[i], X_OK) == 0) {
                        found_set(found, "%s", paths[i]);
                        return STATE_OK;
                }
        found_set(found, "in none of /usr/sbin, /sbin");
        return STATE_MISSING;
}

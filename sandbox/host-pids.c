/*
 * host-pids: see host-pids.h.
 */
#include "sandbox/host-pids.h"

#include <fcntl.h>

#include "base/fds.h"
#include "base/owned.h"

uint32_t host_pids(void) {
        static const char *const files[] = { "/proc/sys/kernel/pid_max",
                                             "/proc/sys/kernel/threads-max" };
        uint64_t total = 32768, value;

        for (unsigned i = 0; i < ELEMENTS(files); i++) {
                autoclose int fd = open(files[i], O_RDONLY | O_CLOEXEC);

                if (fd >= 0 && fd_read_number(fd, &value) == 0 && (i == 0 || value < total))
                        total = value;
        }
        return (uint32_t) total;
}

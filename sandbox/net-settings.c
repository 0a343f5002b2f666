/*
 * net-settings: see net-settings.h.
 */
#include "sandbox/net-settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"

static const struct {
        const char *file, *value, *what;
        bool optional; /* where the namespace has no value of its own, the host's holds */
} settings[] = {
        { "sys/net/ipv4/ip_unprivileged_port_start", "0", "let commands bind ports below 1024",
          false },
        /*
         * What a socket's options may take is charged to nobody. 20 KiB was the kernel's default until it gave
         * each namespace a number of its own, 128 KiB (Linux 6.8), whatever the host's is.
         */
        { "sys/net/core/optmem_max", "20480", "bound what options of sockets take", true },
};

int net_settings(int proc, Error *err) {
        for (unsigned i = 0; i < ELEMENTS(settings); i++) {
                autoclose int fd = openat(proc, settings[i].file, O_WRONLY | O_CLOEXEC);
                int r = fd < 0 ? -errno
                               : fd_write_all(fd, settings[i].value, strlen(settings[i].value));

                if (r < 0 && !(r == -ENOENT && settings[i].optional))
                        return error_set(err, r, "%s", settings[i].what);
        }
        return 0;
}

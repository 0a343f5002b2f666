/*
 * oom-order: see oom-order.h.
 */
#include "sandbox/oom-order.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

static void set(int proc, const char *file, const char *value) {
        autoclose int fd = openat(proc, file, O_WRONLY | O_CLOEXEC);

        if (fd >= 0)
                (void) fd_write_all(fd, value, strlen(value));
}

void oom_order_common(int proc) {
        set(proc, "self/oom_score_adj", OOM_ORDER_COMMON);
}

void oom_order_last(int proc) {
        set(proc, "self/oom_adj", OOM_ORDER_LAST);
}

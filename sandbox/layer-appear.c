/*
 * layer-appear: see layer-appear.h.
 */
#include "sandbox/layer-appear.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/gone.h"

int layer_appear(int layers, int fresh, int gone, const char *from, const char *to) {
        autoclose int fd = openat(fresh, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = 0;

        if (fd < 0 || syncfs(fd) < 0 || renameat2(fresh, from, layers, to, RENAME_NOREPLACE) < 0 ||
            fsync(layers) < 0)
                r = -errno;
        if (r < 0 && gone_take(gone, fresh, from) == 0)
                (void) gone_empty(gone);
        return r == -EEXIST ? 0 : r;
}

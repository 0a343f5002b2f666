/*
 * subuid: see subuid.h. The file is root's own, and read anew each time: a new account brings new ranges.
 */
#include "supervisor/front/policy/subuid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"

#define TEXT_MAX (4u * 1024 * 1024)

/* "name:start:count" up to the end of its line; other lines give nothing. */
static bool line_has(const char *line, uint32_t uid) {
        const char *at = strpbrk(line, ":\n");
        unsigned long long start, count;
        char *end;

        if (!at || *at != ':')
                return false;
        start = strtoull(at + 1, &end, 10);
        if (end == at + 1 || *end != ':')
                return false;
        count = strtoull(end + 1, NULL, 10);
        return uid >= start && uid - start < count;
}

bool subuid_has(int etc_fd, uint32_t uid) {
        autoclose int fd = etc_fd < 0 ? -EBADF : openat(etc_fd, "subuid", O_RDONLY | O_CLOEXEC);
        autofree char *text = NULL;
        size_t n;

        if (fd < 0)
                return etc_fd >= 0 && errno != ENOENT;
        if (fd_read_all(fd, TEXT_MAX, &text, &n) < 0)
                return true;
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (line_has(line, uid))
                        return true;
        }
        return false;
}

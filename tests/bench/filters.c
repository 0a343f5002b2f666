/* filters: see filters.h. */
#include "tests/bench/filters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "filter-floor.h"
#include "supervisor/front/policy/seccomp-profile.h"

#define PROFILE_MAX (1u << 20)

/* Not closed on execution, and with a position of its own. */
static int give(const void *code, size_t n, Error *err) {
        int fd = memfd_create("filter", 0);

        if (fd < 0 || write(fd, code, n) != (ssize_t) n || lseek(fd, 0, SEEK_SET) < 0) {
                (void) error_set(err, -errno, "keep a filter");
                if (fd >= 0)
                        (void) close(fd);
                return err->code;
        }
        return fd;
}

static int compile(const Bench *bench, Error *err) {
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        autofree char *text = NULL, *code = NULL, *notices = NULL;
        autoclose int fd = -EBADF, sealed = -EBADF;
        char path[512];
        size_t n = 0, size = 0;
        int r;

        (void) snprintf(path, sizeof(path), "%s/policies/seccomp/default.json", bench->source);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fd_read_all(fd, PROFILE_MAX, &text, &n) < 0)
                return error_set(err, -errno, "read %s", path);
        r = seccomp_profile_compile(text, n, 0, &filter, err);
        if (r < 0)
                return r;
        sealed = filter.fd;
        notices = filter.notices;
        r = fd_read_all(sealed, PROFILE_MAX, &code, &size);
        return r < 0 ? error_set(err, r, "read a filter") : give(code, size, err);
}

int filters_open(const Bench *bench, int *ret_fds, Error *err) {
        int policy = compile(bench, err), base;

        if (policy < 0)
                return policy;
        base = give(filter_floor, sizeof(filter_floor), err);
        if (base < 0) {
                (void) close(policy);
                return base;
        }
        ret_fds[0] = base;
        ret_fds[1] = policy;
        return 0;
}

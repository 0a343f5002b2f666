/*
 * lockdown: see lockdown.h.
 */
#include "base/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"
#include "base/sanitizer.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

SANITIZER_WITHOUT_LEAK_CHECK

typedef struct Filter {
        struct sock_filter code[BPF_MAXINSNS];
        unsigned short n;
} Filter;

/* Reads a whole program out of a memfd that nobody can change any more. */
static int filter_read(int fd, Filter *ret_filter, Error *err) {
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals < 0)
                return error_set(err, -errno, "read the seals of the filter");
        if ((seals & SEALS) != SEALS)
                return error_say(err, -EINVAL, "the filter is not sealed against changes");
        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "stat the filter");
        if (st.st_size == 0 || (size_t) st.st_size > sizeof(ret_filter->code) ||
            (size_t) st.st_size % sizeof(ret_filter->code[0]) != 0)
                return error_say(err, -EINVAL, "the filter has %lld bytes: no whole program",
                                 (long long) st.st_size);
        if (pread(fd, ret_filter->code, sizeof(ret_filter->code), 0) != st.st_size)
                return error_say(err, -EIO, "the filter could not be read whole");
        ret_filter->n = (unsigned short) ((size_t) st.st_size / sizeof(ret_filter->code[0]));
        return 0;
}

/* Nothing may follow this call but what the filter allows. */
static int filter_apply(Filter *filter, Error *err) {
        struct sock_fprog program = { .len = filter->n, .filter = filter->code };

        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return error_set(err, -errno, "load the filter of %u instructions",
                                 (unsigned) filter->n);
        return 0;
}

int filter_load(int filter_fd, Error *err) {
        Filter filter;
        int r = filter_read(filter_fd, &filter, err);

        return r < 0 ? r : filter_apply(&filter, err);
}

int lock_down(int keep_max, int filter_fd, Error *err) {
        autoclose int owned = filter_fd;
        bool has_filter = filter_fd >= 0;
        Filter filter;
        int r;

        if (has_filter) {
                r = filter_read(owned, &filter, err);
                if (r < 0)
                        return r;
                (void) close(TAKE_FD(owned));
        }
        if (close_range((unsigned) keep_max + 1, ~0u, 0) < 0)
                return error_set(err, -errno, "close the descriptors above %d", keep_max);
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return error_set(err, -errno, "become undumpable");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set(err, -errno, "set no_new_privs");
        return has_filter ? filter_apply(&filter, err) : 0;
}

/*
 * filter-check: see filter-check.h.
 */
#include "sandbox/filter-check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>

/* What has no seals answers -1, which has all bits. */
int filter_check(int fd, Error *err) {
        const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        const off_t one = sizeof(struct sock_filter);
        int has = fcntl(fd, F_GET_SEALS);
        struct stat st;

        if (has < 0 || (has & seals) != seals || fstat(fd, &st) < 0 || st.st_size < one ||
            st.st_size > BPF_MAXINSNS * one || st.st_size % one != 0)
                return error_say(err, -EINVAL,
                                 "the policy's filter is no sealed memfd of instructions");
        return 0;
}

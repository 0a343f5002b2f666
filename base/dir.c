/*
 * dir: see dir.h.
 */
#include "base/dir.h"

#include <errno.h>
#include <string.h>

int dir_next(DIR *dir, const struct dirent **ret) {
        const struct dirent *entry;

        do {
                errno = 0;
                entry = readdir(dir);
        } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
        if (!entry)
                return -errno;
        *ret = entry;
        return 1;
}

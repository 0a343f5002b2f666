/*
 * host-mounts: see host-mounts.h. A file that a clone still shows keeps its inode's number, so that no other file
 * can have got the same one meanwhile.
 */
#include "sandbox/host-mounts.h"

#include <stdio.h>
#include <sys/stat.h>

/* Of the certificates warder-files must see nothing: libgit2 would read all of them whenever it begins, 11 ms each time */
static const char *const names[HOST_MOUNTS_MAX] = {
        "usr",
        "etc/alternatives",
        "etc/ld.so.cache", /* HOST_MOUNTS_LINKED */
        "etc/ssl/certs",
        "etc/java-11-openjdk",
        "etc/java-17-openjdk",
        "etc/java-21-openjdk",
        "etc/java-25-openjdk",
};

const char *host_mount_name(unsigned i) {
        return names[i];
}

void host_marks_take(HostMarks *ret) {
        *ret = (HostMarks){ 0 };
        for (unsigned i = 0; i < HOST_MOUNTS_MAX; i++) {
                struct stat st;
                char path[64];

                (void) snprintf(path, sizeof(path), "/%s", names[i]);
                if (lstat(path, &st) < 0)
                        continue;
                ret->places[i].device = st.st_dev;
                ret->places[i].inode = st.st_ino;
        }
}

bool host_marks_hold(const HostMarks *marks) {
        HostMarks now;

        host_marks_take(&now);
        for (unsigned i = 0; i < HOST_MOUNTS_MAX; i++)
                if (now.places[i].device != marks->places[i].device ||
                    now.places[i].inode != marks->places[i].inode)
                        return false;
        return true;
}

/*
 * priv-proc: see priv-proc.h.
 *
 * /proc/sys stays readable: root of the host owns what could be written there, and it is read-only besides.
 */
#include "sandbox/priv-proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/priv-mount.h"

#define UUID_LINE 37 /* 36 characters and the end of the line */

DEFINE_SCOPED(DIR *, closedir);

static int cover(const char *with, const char *path, Error *err) {
        autoclose int mount =
                mount_clone(AT_FDCWD, with, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, -EBADF, err);

        return mount < 0 ? mount : mount_attach(mount, AT_FDCWD, path, err);
}

/* What tells about processors, memory and time, and what is the jail's own; SECURITY.md argues each. */
static bool stays_in_proc(const char *name) {
        static const char *const names[] = { "cpuinfo", "filesystems", "loadavg", "meminfo",
                                             "mounts",  "net",         "self",    "stat",
                                             "sys",     "sysvipc",     "tty",     "thread-self",
                                             "uptime",  "version" };
        unsigned i;

        for (i = 0; i < ELEMENTS(names); i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return name[strspn(name, "0123456789")] == 0 || *name == '.';
}

/* All else is about the host and is covered: also what a newer kernel adds. */
static int cover_proc(Error *err) {
        SCOPED(closedir) DIR *proc = opendir("/proc");
        const struct dirent *entry;
        char path[8 + NAME_MAX];
        int r = 0;

        if (!proc)
                return error_set(err, -errno, "list the shell's /proc");
        while (r == 0 && (errno = 0, entry = readdir(proc))) {
                if (stays_in_proc(entry->d_name))
                        continue;
                (void) snprintf(path, sizeof(path), "/proc/%s", entry->d_name);
                r = cover(entry->d_type == DT_DIR ? "/empty" : "/dev/null", path, err);
        }
        if (r == 0 && errno != 0)
                r = error_set(err, -errno, "list the shell's /proc");
        return r;
}

/*
 * A boot id of this jail's own: the host's would tell two jails that they share a host. The kernel makes a new
 * random UUID for each who opens the file beside it, in the very form.
 */
static int write_boot_id(const Shell *shell, Error *err) {
        autoclose int uuid = open("/proc/sys/kernel/random/uuid", O_RDONLY | O_CLOEXEC);
        autoclose int fd =
                openat(shell->root, "boot-id", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        char text[UUID_LINE];
        int r;

        if (uuid < 0 || fd < 0)
                return error_set(err, -errno, "make a boot id");
        if (read(uuid, text, sizeof(text)) != (ssize_t) sizeof(text))
                return error_set(err, -EIO, "read a random UUID");
        r = fd_write_all(fd, text, sizeof(text));
        return r < 0 ? error_set(err, r, "write a boot id") : 0;
}

int proc_mask(const Shell *shell, Error *err) {
        static const char *const covers[][2] = {
                { "/proc/sys", "/proc/sys" },
                { "/boot-id", "/proc/sys/kernel/random/boot_id" },
                { "/dev/null", "/proc/sys/kernel/core_pattern" }, /* a path of the host */
        };
        unsigned i;
        int r = write_boot_id(shell, err);

        for (i = 0; r == 0 && i < ELEMENTS(covers); i++)
                if (faccessat(AT_FDCWD, covers[i][1], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        r = cover(covers[i][0], covers[i][1], err);
        return r < 0 ? r : cover_proc(err);
}

int proc_new_pid(Error *err) {
        const MountOption options[] = { { "subset", "pid" }, { "hidepid", "invisible" }, { 0 } };

        return mount_new("proc", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                         err);
}

/*
 * warder-trials: mounts and id maps that "warder doctor" tries as root, to say what a host can do. One trial a
 * call: warder-trials NAME [PATH]. It reads nothing and prints nothing; the exit code is 0 or the errno of what
 * was refused. What it makes is detached or lies in a mount namespace of its own, and ends with it.
 *
 * A program of its own, because privileged calls stand in few files, and none of them is the command's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

/* Returns: a descriptor of a new tmpfs that is attached nowhere, or -errno */
static int new_tmpfs(void) {
        autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
        int fd;

        if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        return fd < 0 ? -errno : fd;
}

static int make_tmpfs(const char *path) {
        autoclose int fd = new_tmpfs();

        (void) path;
        return fd < 0 ? -fd : 0;
}

static int write_map(pid_t pid, const char *name) {
        static const char map[] = "0 1 1\n";
        char path[64];
        autoclose int fd = -EBADF;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 || write(fd, map, sizeof(map) - 1) < 0 ? -errno : 0;
}

/* Returns: a user namespace that maps id 0 to 1, or -errno; its only process is gone */
static int new_userns(void) {
        char path[64];
        int ends[2], fd, r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
                return -errno;
        if (pid == 0) {
                r = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
                (void) !write(ends[1], &r, sizeof(r));
                for (;;)
                        (void) pause();
        }
        if (read(ends[0], &r, sizeof(r)) != (ssize_t) sizeof(r))
                r = EPROTO;
        r = r ? -r : write_map(pid, "uid_map");
        if (r == 0)
                r = write_map(pid, "gid_map");
        (void) snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
        if (r == 0 && fd < 0)
                fd = -errno;
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        (void) close(ends[0]);
        (void) close(ends[1]);
        return fd;
}

static int map_mount(const char *path) {
        autoclose int userns = new_userns();
        autoclose int fd =
                path ? open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) : new_tmpfs();
        struct mount_attr set = { .attr_set = MOUNT_ATTR_IDMAP };

        if (userns < 0)
                return -userns;
        if (fd < 0)
                return path ? errno : -fd;
        set.userns_fd = (uint64_t) userns;
        return mount_setattr(fd, "", AT_EMPTY_PATH, &set, sizeof(set)) < 0 ? errno : 0;
}

/* Everything below happens in a mount namespace that ends with this process. Returns: 0 or errno */
static int enter_scratch(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0 ||
            chdir("/tmp") < 0 || mkdir("lower", 0700) < 0 || mkdir("upper", 0700) < 0 ||
            mkdir("work", 0700) < 0)
                return errno;
        return 0;
}

static int make_overlay(const char *path) {
        int r = enter_scratch();
        autoclose int context = r ? -EBADF : fsopen("overlay", FSOPEN_CLOEXEC);

        (void) path;
        if (r)
                return r;
        if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", "lower", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_STRING, "upperdir", "upper", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_STRING, "workdir", "work", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
            fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return errno;
        return 0;
}

static int add_layer(const char *path) {
        int r = enter_scratch();
        autoclose int context = r ? -EBADF : fsopen("overlay", FSOPEN_CLOEXEC);
        autoclose int layer = open("lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void) path;
        if (r)
                return r;
        return context < 0 || fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, layer) < 0
                       ? errno
                       : 0;
}

static const struct {
        const char *name;
        int (*run)(const char *path);
} trials[] = {
        { "mount-api", make_tmpfs },
        { "idmap", map_mount },
        { "overlay", make_overlay },
        { "overlay-layers", add_layer },
};

int main(int argc, char **argv) {
        for (size_t i = 0; argc > 1 && i < ELEMENTS(trials); i++)
                if (strcmp(argv[1], trials[i].name) == 0)
                        return trials[i].run(argc > 2 ? argv[2] : NULL);
        fprintf(stderr, "warder-trials: is run by warder doctor\n");
        return EINVAL;
}

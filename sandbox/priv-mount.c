/*
 * priv-mount: see priv-mount.h.
 */
#include "sandbox/priv-mount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/priv-visit.h"

/* Flags that were asked for and are not there would be a wall that is not there: read them back. */
int mount_check_flags(int mount, unsigned attr, Error *err) {
        static const struct {
                unsigned attr;
                unsigned long flag;
                const char *name;
        } flags[] = { { MOUNT_ATTR_RDONLY, ST_RDONLY, "read-only" },
                      { MOUNT_ATTR_NOSUID, ST_NOSUID, "nosuid" },
                      { MOUNT_ATTR_NODEV, ST_NODEV, "nodev" },
                      { MOUNT_ATTR_NOEXEC, ST_NOEXEC, "noexec" } };
        struct statvfs st;
        unsigned i;

        if (fstatvfs(mount, &st) < 0)
                return error_set(err, -errno, "read back the flags of a mount");
        for (i = 0; i < ELEMENTS(flags); i++)
                if ((attr & flags[i].attr) && !(st.f_flag & flags[i].flag))
                        return error_say(err, -EIO, "a mount is not %s though that was set",
                                         flags[i].name);
        return 0;
}

static int create(int context, const char *type, unsigned attr, Error *err) {
        autoclose int fd = -EBADF;
        int r;

        if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return error_set(err, -errno, "make a file system of type %s", type);
        fd = fsmount(context, FSMOUNT_CLOEXEC, attr);
        if (fd < 0)
                return error_set(err, -errno, "mount a file system of type %s", type);
        r = mount_check_flags(fd, attr, err);
        return r < 0 ? r : TAKE_FD(fd);
}

static int set_option(int context, const char *key, const char *value, Error *err) {
        if (fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0)
                return error_set(err, errno == EINVAL ? -ENOTSUP : -errno, "set mount option %s=%s",
                                 key, value ? value : "");
        return 0;
}

int mount_new(const char *type, const MountOption *options, unsigned attr, Error *err) {
        autoclose int context = fsopen(type, FSOPEN_CLOEXEC);
        int r = 0;

        if (context < 0)
                return error_set(err, -errno, "open a file system of type %s", type);
        for (; r == 0 && options->key; options++)
                r = set_option(context, options->key, options->value, err);
        return r < 0 ? r : create(context, type, attr, err);
}

/* Flags and id map of a fresh clone. */
static int set_clone(int fd, const char *name, unsigned attr, int userns, Error *err) {
        struct mount_attr set = { .attr_set = attr, .propagation = MS_PRIVATE };
        int r;

        if (userns >= 0) {
                set.attr_set |= MOUNT_ATTR_IDMAP;
                set.userns_fd = (uint64_t) userns;
        }
        /* the kernel's word for a file system that takes no id map: overlay, NFS, proc */
        r = mount_setattr(fd, "", AT_EMPTY_PATH, &set, sizeof(set)) < 0 ? -errno : 0;
        if (r == -EINVAL && userns >= 0)
                return error_say(err, -ENOTSUP,
                                 "the file system of %s cannot be shown with other owners", name);
        if (r < 0)
                return error_set(
                        err, r, "%s of %s",
                        userns >= 0 ? "map the ids of a mount" : "set the flags of a mount", name);
        return 0;
}

int mount_disk(int device, int userns, Error *err) {
        const unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        char source[32];
        const MountOption options[] = { { "source", source },
                                        { "errors", "remount-ro" },
                                        { "discard", NULL },
                                        { "noinit_itable", NULL },
                                        { 0 } };
        autoclose int fd = -EBADF;
        int r;

        (void) snprintf(source, sizeof(source), "/proc/self/fd/%d", device);
        fd = mount_new("ext4", options, attr, err);
        r = fd < 0 ? fd : set_clone(fd, "a workspace's disk", attr, userns, err);
        return r < 0 ? r : TAKE_FD(fd);
}

int mount_clone(int dir, const char *path, unsigned attr, int userns, Error *err) {
        const char *name = *path ? path : "the directory";
        autoclose int fd = open_tree(dir, path,
                                     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
                                             AT_SYMLINK_NOFOLLOW);
        int r = fd < 0 ? error_set(err, -errno, "clone the mount of %s", name)
                       : set_clone(fd, name, attr, userns, err);

        if (r == 0)
                r = mount_check_flags(fd, attr, err);
        return r < 0 ? r : TAKE_FD(fd);
}

int mount_clone_from(int space, int dir, unsigned attr, int userns, Error *err) {
        autoclose int fd = open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        int r;

        if (fd < 0) /* the kernel clones only mounts of our own namespace: most often it is one */
                fd = errno == EINVAL ? visit_clone(space, dir, err)
                                     : error_set(err, -errno, "clone the mount of the directory");
        if (fd == -EINVAL)
                return error_say(
                        err, -ENOTSUP,
                        "the directory lies in a mount namespace that its caller is not in");
        r = fd < 0 ? fd : set_clone(fd, "the directory", attr, userns, err);
        return r < 0 ? r : TAKE_FD(fd);
}

/* Linux < 6.13 takes no layers by descriptor: they are attached in a private place and named by number. */
static int set_lowers_by_path(int context, const OverlaySpec *spec, Error *err) {
        char list[256] = "", name[12];
        size_t used = 0;
        unsigned i;
        int r;

        if (chdir(spec->place) < 0)
                return error_set(err, -errno, "enter the place for layers");
        for (i = 0; i < spec->n_lowers; i++) {
                (void) snprintf(name, sizeof(name), "%u", i);
                if (mkdirat(AT_FDCWD, name, 0700) < 0 && errno != EEXIST)
                        return error_set(err, -errno, "make a place for layer %u", i);
                r = mount_attach(spec->lowers[i], AT_FDCWD, name, err);
                if (r < 0)
                        return r;
                used += (size_t) snprintf(list + used, sizeof(list) - used, "%s%s", i ? ":" : "",
                                          name);
                if (used >= sizeof(list))
                        return error_say(err, -E2BIG, "too many layers for this kernel");
        }
        return set_option(context, "lowerdir", list, err);
}

static int leave_place(const OverlaySpec *spec, Error *err) {
        char name[12];
        unsigned i;

        for (i = 0; i < spec->n_lowers; i++) {
                (void) snprintf(name, sizeof(name), "%u", i);
                if (umount2(name, MNT_DETACH) < 0)
                        return error_set(err, -errno, "detach layer %u from its place", i);
        }
        if (chdir("/") < 0)
                return error_set(err, -errno, "leave the place for layers");
        return 0;
}

static int set_upper(int context, const OverlaySpec *spec, Error *err) {
        int r = 0;

        if (spec->upper)
                r = set_option(context, "upperdir", spec->upper, err);
        if (r == 0 && spec->upper)
                r = set_option(context, "workdir", spec->work, err);
        if (r == 0 && spec->user_xattr)
                return set_option(context, "userxattr", NULL, err);
        /* what a layer says about redirects or metadata copies is not believed */
        if (r == 0)
                r = set_option(context, "redirect_dir", "nofollow", err);
        return r < 0 ? r : set_option(context, "metacopy", "off", err);
}

int mount_overlay(const OverlaySpec *spec, Error *err) {
        autoclose int context = fsopen("overlay", FSOPEN_CLOEXEC);
        bool by_path = false;
        unsigned i;
        int r, fd;

        if (context < 0)
                return error_set(err, -errno, "open a file system of type overlay");
        for (i = 0; i < spec->n_lowers && !by_path; i++) {
                r = fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, spec->lowers[i]);
                if (r < 0 && i > 0)
                        return error_set(err, -errno, "add layer %u to an overlay", i);
                by_path = r < 0;
        }
        r = by_path ? set_lowers_by_path(context, spec, err) : 0;
        if (r == 0)
                r = set_upper(context, spec, err);
        if (r < 0)
                return r;
        fd = create(context, "overlay", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
        if (fd < 0 || !by_path)
                return fd;
        r = leave_place(spec, err);
        if (r < 0)
                (void) close(fd);
        return r < 0 ? r : fd;
}

int mount_set_flags(int mount, unsigned attr, Error *err) {
        struct mount_attr set = { .attr_set = attr };

        if (mount_setattr(mount, "", AT_EMPTY_PATH, &set, sizeof(set)) < 0)
                return error_set(err, -errno, "set the flags of a mount");
        return mount_check_flags(mount, attr, err);
}

int mount_attach(int mount, int dir, const char *path, Error *err) {
        unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

        if (move_mount(mount, "", dir, path, flags) < 0)
                return error_set(err, -errno, "attach a mount at %s", *path ? path : "its place");
        return 0;
}

int mount_set_size(int mount, uint64_t bytes, uint64_t inodes, Error *err) {
        autoclose int context = fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
        char text[24];
        int r;

        if (context < 0)
                return error_set(err, -errno, "pick the upper file system");
        (void) snprintf(text, sizeof(text), "%" PRIu64, bytes);
        r = set_option(context, "size", text, err);
        (void) snprintf(text, sizeof(text), "%" PRIu64, inodes);
        if (r == 0)
                r = set_option(context, "nr_inodes", text, err);
        if (r < 0)
                return r;
        if (fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
                return error_set(err, -errno, "limit the upper file system to %" PRIu64 " bytes",
                                 bytes);
        return 0;
}

bool mount_has_map(int userns) {
        const MountOption options[] = { { "size", "64k" }, { 0 } };
        struct mount_attr map = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t) userns };
        autoclose int mount = mount_new("tmpfs", options, 0, NULL);

        return mount >= 0 && mount_setattr(mount, "", AT_EMPTY_PATH, &map, sizeof(map)) == 0;
}

bool mount_has_user_xattr(void) {
        const MountOption options[] = { { "size", "64k" }, { 0 } };
        autoclose int mount = mount_new("tmpfs", options, 0, NULL);
        autoclose int file =
                mount < 0 ? -EBADF : openat(mount, "probe", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        return file >= 0 && fsetxattr(file, "user.probe", "1", 1, 0) == 0;
}

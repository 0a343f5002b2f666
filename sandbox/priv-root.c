/*
 * priv-root: see priv-root.h.
 *
 * The shell's root is one tmpfs, T, that a plan later limits. It holds what no jail sees by that name:
 *
 *   T/dev T/proc   mount points of the shell's /dev and /proc, moved into the jail's root as they are
 *   T/n            where the jail's root is put together
 *   T/u/V/{u,w}    upper and work directory of view V
 *   T/tmp T/run T/shm   bound at /tmp, /run and /dev/shm of the jail: they count against the same limits
 *   T/l            private place for layers on kernels that take no descriptors
 *   T/s/r          T/s is bound as S, the root of the mount namespace, in which no process has its root; T, and
 *                  later the jail's root in its place, is mounted on S/r. So one directory that is known
 *                  before any plan lies above all that a jail sees: see landlock.c
 *
 * pivot_root(2) puts T at the new root's /tmp, and T/tmp is bound over it: T stays in the mount namespace,
 * where another jail's builder can clone an upper from, and no path leads to it, because only the owner of
 * the namespace, the host, can take the cover away. Nothing of the host is in T.
 *
 * Layers come from hostile archives: inside the new root every look-up goes through openat2(2) without
 * links, and a mount point that is a link or a file is refused by name.
 */
#include "sandbox/priv-root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/root-path.h"
#include "sandbox/disk.h"
#include "sandbox/host-mounts.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-proc.h"

#define PLAIN    (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define PTYS_MAX "64" /* of a jail: kernel.pty.max is one count for the whole host */

/* ---- the shell: no plan is known ------------------------------------------------------------------ */

int root_take_host(Shell *shell, Error *err) {
        unsigned i;

        for (i = 0; i < HOST_MOUNTS_MAX; i++) {
                char path[64];

                (void) snprintf(path, sizeof(path), "/%s", host_mount_name(i));
                shell->host[i] = -EBADF;
                if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                shell->host[i] =
                        mount_clone(AT_FDCWD, path, PLAIN | MOUNT_ATTR_RDONLY, -EBADF, err);
                if (shell->host[i] < 0)
                        return shell->host[i];
        }
        return 0;
}

/* Upper and work directory of one view. */
static int make_upper(const Shell *shell, uint32_t target, Error *err) {
        static const char *const names[] = { "", "/u", "/w" };
        char path[24];
        unsigned i;

        for (i = 0; i < ELEMENTS(names); i++) {
                uint32_t id = i == 0 ? 0 : shell->id_base;

                (void) snprintf(path, sizeof(path), "u/%u%s", target, names[i]);
                /* on a disk it may be there, by a start that was killed */
                if ((mkdirat(shell->root, path, i == 0 ? 0700 : 0755) < 0 && errno != EEXIST) ||
                    fchownat(shell->root, path, id, id, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set(err, -errno, "make the directory %s", path);
        }
        return 0;
}

static int fill_shell_root(const Shell *shell, Error *err) {
        static const struct {
                const char *name;
                mode_t mode;
                bool jail; /* owned by the jail's root */
        } dirs[] = { { "dev", 0755, false }, { "proc", 0555, false }, { "n", 0700, false },
                     { "u", 0700, false },   { "l", 0700, false },    { "empty", 0555, false },
                     { "s", 0555, false },   { "s/r", 0555, false },  { "tmp", 01777, true },
                     { "run", 0755, true },  { "shm", 01777, true } };
        unsigned i;
        int r = 0;

        for (i = 0; r == 0 && i < ELEMENTS(dirs); i++)
                r = dir_make(shell->root, dirs[i].name, dirs[i].mode,
                             dirs[i].jail ? shell->id_base : 0, err);
        return r < 0 ? r : make_upper(shell, VIEW_ROOT, err);
}

static int fill_dev(const Shell *shell, int dev, Error *err) {
        static const struct {
                const char *name;
                unsigned major, minor;
        } nodes[] = { { "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
                      { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
        static const char *const links[][2] = { { "fd", "/proc/self/fd" },
                                                { "stdin", "/proc/self/fd/0" },
                                                { "stdout", "/proc/self/fd/1" },
                                                { "stderr", "/proc/self/fd/2" },
                                                { "ptmx", "pts/ptmx" } };
        uint32_t id = shell->id_base;
        unsigned i;
        int r = 0;

        for (i = 0; i < ELEMENTS(nodes); i++)
                if (mknodat(dev, nodes[i].name, S_IFCHR | 0666,
                            makedev(nodes[i].major, nodes[i].minor)) < 0 ||
                    fchownat(dev, nodes[i].name, id, id, 0) < 0)
                        return error_set(err, -errno, "make the device %s", nodes[i].name);
        for (i = 0; i < ELEMENTS(links); i++)
                if (symlinkat(links[i][1], dev, links[i][0]) < 0)
                        return error_set(err, -errno, "make the link /dev/%s", links[i][0]);
        r = dir_make(dev, "pts", 0755, id, err);
        return r < 0 ? r : dir_make(dev, "shm", 01777, id, err);
}

/* Must stand at /dev already: before Linux 6.15 nothing can be mounted on a detached mount. */
static int mount_below_dev(const Shell *shell, int dev, Error *err) {
        char gid[16];
        const MountOption options[] = { { "mode", "0620" },
                                        { "ptmxmode", "0666" },
                                        { "gid", gid },
                                        { "max", PTYS_MAX },
                                        { 0 } };
        autoclose int pts = -EBADF, shm = -EBADF;
        int r;

        (void) snprintf(gid, sizeof(gid), "%u", shell->id_base + 5);
        pts = mount_new("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
        r = pts < 0 ? pts : mount_attach(pts, AT_FDCWD, "/dev/pts", err);
        if (r < 0)
                return r;
        shm = mount_clone(shell->root, "shm", PLAIN, -EBADF, err);
        r = shm < 0 ? shm : mount_attach(shm, AT_FDCWD, "/dev/shm", err);
        return r < 0 ? r : mount_set_flags(dev, MOUNT_ATTR_RDONLY, err);
}

static int make_dev(const Shell *shell, Error *err) {
        char id[16];
        const MountOption options[] = {
                { "uid", id },     { "gid", id },         { "mode", "0755" },
                { "size", "64k" }, { "nr_inodes", "64" }, { 0 },
        };
        autoclose int dev = -EBADF;
        int r;

        (void) snprintf(id, sizeof(id), "%u", shell->id_base);
        dev = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
        r = dev < 0 ? dev : fill_dev(shell, dev, err);
        if (r == 0)
                r = mount_attach(dev, shell->root, "dev", err);
        return r < 0 ? r : mount_below_dev(shell, dev, err);
}

/* ---- the change of root --------------------------------------------------------------------------- */

/*
 * Changes to S and T, which stand anywhere in the old root, and detaches that. S becomes the root of the
 * mount namespace, T on it the root of this process and of those that it will clone.
 */
static int change_root(const Shell *shell, const char *place, Error *err) {
        int r;

        if (chdir(place) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set(err, -errno, "change to the shell's root");
        r = mount_attach(shell->root, shell->stand, "r", err);
        if (r < 0)
                return r;
        /* both roots are stacked at "/" now, the old one on top */
        if (umount2(".", MNT_DETACH) < 0)
                return error_set(err, -errno, "detach the host's root");
        if (chdir("/r") < 0 || chroot(".") < 0)
                return error_set(err, -errno, "enter the shell's root");
        return 0;
}

int root_enter_shell(Shell *shell, Error *err) {
        const MountOption options[] = {
                { "mode", "0755" }, { "size", "1m" }, { "nr_inodes", "256" }, { 0 }
        };
        int r;

        shell->root = mount_new("tmpfs", options, PLAIN, err);
        if (shell->root < 0)
                return shell->root;
        r = fill_shell_root(shell, err);
        /* any directory serves: this mount namespace is ours, and what is there goes away with it */
        if (r == 0)
                r = mount_attach(shell->root, AT_FDCWD, "/proc", err);
        if (r < 0)
                return r;
        shell->stand = mount_clone(shell->root, "s", PLAIN | MOUNT_ATTR_RDONLY, -EBADF, err);
        if (shell->stand < 0)
                return shell->stand;
        r = mount_attach(shell->stand, AT_FDCWD, "/proc/n", err);
        if (r == 0)
                r = change_root(shell, "/proc/n", err);
        if (r == 0)
                r = make_dev(shell, err);
        if (r == 0)
                r = mount_attach(shell->proc, shell->root, "proc", err);
        if (r == 0)
                r = proc_mask(shell, err);
        if (r < 0)
                return r;
        shell->tmp = mount_clone(shell->root, "tmp", PLAIN, -EBADF, err);
        shell->run = shell->tmp < 0 ? -EBADF : mount_clone(shell->root, "run", PLAIN, -EBADF, err);
        return shell->run < 0 ? shell->run : 0;
}

/* ---- the jail ------------------------------------------------------------------------------------- */

/* What root_build() works on. */
typedef struct Site {
        const Shell *shell;
        const Plan *plan;
        const int *layers; /* detached mounts, view by view */
        int root;          /* owned: the jail's root, at T/n */
} Site;

/* The root of an overlay has the owner and mode of its upper's root: take those of the topmost layer. */
static int like_top_layer(const Shell *shell, const char *path, int layer, Error *err) {
        struct stat st;

        if (fstat(layer, &st) < 0)
                return error_set(err, -errno, "look at the top of a view's layers");
        /* an owner that the layer's map does not know is nobody of this jail */
        if (st.st_uid - shell->id_base >= JAIL_IDS || st.st_gid - shell->id_base >= JAIL_IDS)
                return 0;
        if (chown(path, st.st_uid, st.st_gid) < 0 || chmod(path, st.st_mode & 0777) < 0)
                return error_set(err, -errno, "give an upper the owner of its layer");
        return 0;
}

/* Names the upper and work directory of a view, as paths of the shell's root. */
static int prepare_upper(const Site *site, uint32_t target, OverlaySpec *spec, char (*paths)[24],
                         Error *err) {
        bool on_disk = plan_disk(site->plan) >= 0, was_used;
        int r = 0;

        /* a workspace that was stopped has its upper as its commands left it: an overlay made this there */
        (void) snprintf(paths[0], sizeof(paths[0]), "/u/%u/w/work", target);
        was_used = on_disk && faccessat(AT_FDCWD, paths[0], F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (!was_used && (on_disk || target != VIEW_ROOT))
                r = make_upper(site->shell, target, err);
        (void) snprintf(paths[0], sizeof(paths[0]), "/u/%u/u", target);
        (void) snprintf(paths[1], sizeof(paths[1]), "/u/%u/w", target);
        spec->upper = paths[0];
        spec->work = paths[1];
        return r < 0 || was_used ? r : like_top_layer(site->shell, paths[0], spec->lowers[0], err);
}

/* One view as a detached mount. */
static int make_view(const Site *site, const PlanView *view, const int *layers, Error *err) {
        OverlaySpec spec = { .lowers = layers,
                             .n_lowers = view->n,
                             .place = "/l",
                             .user_xattr = site->shell->user_xattr };
        bool writable = view->target == VIEW_ROOT || (view->flags & VIEW_WRITABLE);
        char paths[2][24];
        int r;

        if ((view->flags & VIEW_DIRECT) || (!writable && view->n == 1))
                return fcntl(layers[0], F_DUPFD_CLOEXEC, 3);
        r = writable ? prepare_upper(site, view->target, &spec, paths, err) : 0;
        return r < 0 ? r : mount_overlay(&spec, err);
}

static int attach_at(const Site *site, int mount, const char *path, Error *err) {
        autoclose int place = root_dir(site->root, path, site->shell->id_base, err);

        return place < 0 ? place : mount_attach(mount, place, "", err);
}

static int build_views(Site *site, Error *err) {
        const int *layers = site->layers;
        autoclose int disk = -EBADF;
        uint32_t i;
        int r = 0;

        if (plan_disk(site->plan) >= 0)
                disk = openat(site->shell->root, "u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        disk_spare_take(disk);

        for (i = 0; r == 0 && i < site->plan->n_views; i++) {
                const PlanView *view = &site->plan->views[i];
                autoclose int mount = make_view(site, view, layers, err);

                layers += view->n;
                if (mount < 0)
                        return error_add(err, mount, "view %s", plan_view_path(view->target));
                if (i > 0) {
                        r = attach_at(site, mount, plan_view_path(view->target) + 1, err);
                        continue;
                }
                r = mount_attach(mount, AT_FDCWD, "/n", err);
                site->root = TAKE_FD(mount);
        }
        disk_spare_put(disk);
        return r;
}

/* The host's own directories; the skeleton below has a mount point for each. */
static int bind_host(const Site *site, Error *err) {
        unsigned n = site->plan->flags & PLAN_FILES_CAPS ? HOST_MOUNTS_LINKED : HOST_MOUNTS_MAX;
        int r = 0;

        for (unsigned i = 0; r == 0 && i < n; i++) {
                autoclose int place = -EBADF;

                if (site->shell->host[i] < 0)
                        continue;
                place = root_open(site->root, host_mount_name(i), O_PATH);
                if (place < 0)
                        return error_set(err, place, "open the place for the host's /%s",
                                         host_mount_name(i));
                r = mount_attach(site->shell->host[i], place, "", err);
                if (r < 0)
                        (void) error_add(err, r, "bind the host's /%s", host_mount_name(i));
        }
        return r;
}

static int attach_proc(const Site *site, Error *err) {
        autoclose int proc = -EBADF;

        if (!(site->plan->flags & PLAN_PROC_PID))
                return attach_at(site, site->shell->proc, "proc", err);
        /* the other one would go on to stand below /tmp, where only its mount table shows it */
        if (umount2("/proc", MNT_DETACH) < 0)
                return error_set(err, -errno, "take the masked /proc away");
        proc = proc_new_pid(err);
        return proc < 0 ? proc : attach_at(site, proc, "proc", err);
}

/* /dev and /proc move as they are, with what is mounted in them. */
static int attach_places(const Site *site, Error *err) {
        autoclose int dev = openat(site->shell->root, "dev", O_PATH | O_CLOEXEC);
        int r;

        if (dev < 0)
                return error_set(err, -errno, "open the shell's /dev");
        r = attach_at(site, dev, "dev", err);
        if (r == 0)
                r = attach_proc(site, err);
        return r < 0 ? r : attach_at(site, site->shell->run, "run", err);
}

/* T goes to /tmp of the new root and is covered there: see the head of this file. */
static int enter(const Site *site, Error *err) {
        autoclose int place = root_dir(site->root, "tmp", site->shell->id_base, err);

        if (place < 0)
                return place;
        if (syscall(SYS_pivot_root, "/n", "/n/tmp") < 0 || chdir("/") < 0)
                return error_set(err, -errno, "change to the jail's root");
        return mount_attach(site->shell->tmp, AT_FDCWD, "/tmp", err);
}

int root_build(const Shell *shell, const Plan *plan, const int *layers, Error *err) {
        Site site = { .shell = shell, .plan = plan, .layers = layers, .root = -EBADF };
        int r = mount_set_size(shell->root, plan->limits.disk_bytes, plan->limits.inodes, err);

        if (r == 0)
                r = build_views(&site, err);
        if (r == 0 && (plan->flags & PLAN_HOST_ROOT))
                r = bind_host(&site, err);
        if (r == 0)
                r = attach_places(&site, err);
        if (r == 0)
                r = enter(&site, err);
        fds_close(&site.root, 1);
        return r;
}

int root_upper(const Shell *shell, const Plan *plan, Error *err) {
        uint32_t target = VIEW_ROOT, i;
        char path[16];
        int fd;

        for (i = 0; i < plan->n_views; i++)
                if (plan->views[i].target == VIEW_TREE && (plan->views[i].flags & VIEW_WRITABLE))
                        target = VIEW_TREE;
        (void) snprintf(path, sizeof(path), "u/%u/u", target);
        fd = openat(shell->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open the upper") : fd;
}

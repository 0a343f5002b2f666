/*
 * landing: see landing.h. A path is opened at its directory with openat2(2), beneath the tree and through no
 * link, each time that it is needed; only its last component is then named. rename(2) never follows a link,
 * so nothing outside the tree is touched, whatever others do to the tree meanwhile.
 *
 * LIMIT: renames lie within one file system: a tree with another one mounted inside it is changed there in
 * no way (EXDEV), and the rest is put back.
 */
#include "cli/landing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/guard.h"

#define TRIES          100
#define LANDING_PREFIX ".warder-apply-"

static int open_beneath(int dir, const char *path, int flags) {
        struct open_how how = { .flags = (uint64_t) (flags | O_CLOEXEC),
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                                           RESOLVE_NO_MAGICLINKS };
        int fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

/* The directory that holds @path. */
static int open_parent(int top, const char *path, const char **ret_leaf) {
        const char *slash = strrchr(path, '/');
        char parent[GUARD_PATH_MAX];
        size_t n = slash ? (size_t) (slash - path) : 0;

        if (n >= sizeof(parent))
                return -ENAMETOOLONG;
        memcpy(parent, path, n);
        parent[n] = 0;
        *ret_leaf = slash ? slash + 1 : path;
        return open_beneath(top, n ? parent : ".", O_PATH | O_DIRECTORY);
}

int landing_stat(int top, const char *path, struct stat *ret) {
        const char *leaf;
        autoclose int dir = open_parent(top, path, &leaf);

        if (dir < 0)
                return dir;
        return fstatat(dir, leaf, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

bool landing_same(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
               a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void number_name(unsigned number, char ret[static 16]) {
        (void) snprintf(ret, 16, "%u", number);
}

/* "PREFIX<pid>-<n>", of a process that is gone */
static bool is_old(const char *name) {
        char *end = NULL;
        long pid;

        if (strncmp(name, LANDING_PREFIX, strlen(LANDING_PREFIX)) != 0)
                return false;
        pid = strtol(name + strlen(LANDING_PREFIX), &end, 10);
        return *end == '-' && pid > 0 && kill((pid_t) pid, 0) < 0 && errno == ESRCH &&
               strlen(name) < LANDING_NAME_MAX;
}

bool landing_old(int top, char ret_name[static LANDING_NAME_MAX]) {
        int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        bool found = false;

        if (!dir) {
                owned_close(&fd);
                return false;
        }
        while (!found && (entry = readdir(dir))) {
                found = is_old(entry->d_name);
                if (found)
                        (void) snprintf(ret_name, LANDING_NAME_MAX, "%s", entry->d_name);
        }
        (void) closedir(dir);
        return found;
}

int landing_open(Landing *landing, int top, Error *err) {
        int r = -EEXIST;

        *landing = LANDING_EMPTY;
        landing->top = top;
        for (unsigned i = 0; i < TRIES && r == -EEXIST; i++) {
                (void) snprintf(landing->name, sizeof(landing->name), LANDING_PREFIX "%d-%u",
                                (int) getpid(), i);
                r = mkdirat(top, landing->name, 0700) < 0 ? -errno : 0;
        }
        if (r < 0)
                return error_set(err, r, "make a directory in the tree");
        landing->dir = open_beneath(top, landing->name, O_RDONLY | O_DIRECTORY);
        return landing->dir < 0 ? error_set(err, landing->dir, "open %s", landing->name) : 0;
}

int landing_file(Landing *landing, mode_t mode, unsigned *ret_number, Error *err) {
        char name[16];
        int fd;

        number_name(landing->n_files, name);
        fd = openat(landing->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return error_set(err, -errno, "make a file in %s", landing->name);
        *ret_number = landing->n_files++;
        return fd;
}

int landing_link(Landing *landing, const char *target, unsigned *ret_number, Error *err) {
        char name[16];

        number_name(landing->n_files, name);
        if (symlinkat(target, landing->dir, name) < 0)
                return error_set(err, -errno, "make a link in %s", landing->name);
        *ret_number = landing->n_files++;
        return 0;
}

/* ---- notes --------------------------------------------------------------------------------------- */

/* Room first, the step then: a step that cannot be noted is not taken. */
static int make_room(Landing *landing, unsigned n, Error *err) {
        unsigned room = landing->room ? landing->room : 64;
        LandingNote *more;

        if (landing->n + n <= landing->room)
                return 0;
        while (room < landing->n + n)
                room *= 2;
        more = reallocarray(landing->notes, room, sizeof(*more));
        if (!more)
                return error_set(err, -ENOMEM, "keep account of what is changed");
        landing->notes = more;
        landing->room = room;
        return 0;
}

static LandingNote *note(Landing *landing, LandingUndo undo, const char *path, unsigned number) {
        LandingNote *one = &landing->notes[landing->n++];

        *one = (LandingNote){ .undo = undo, .path = path, .number = number };
        return one;
}

/* ---- steps --------------------------------------------------------------------------------------- */

static int rename_with(int from, const char *name, int to, const char *leaf, unsigned flags) {
        return renameat2(from, name, to, leaf, flags) < 0 ? -errno : 0;
}

/* Some file systems (NFS, a few of FUSE's) know no flags: then it is looked, and renamed, in two steps. */
static int rename_new(int from, const char *name, int to, const char *leaf) {
        struct stat st;
        int r = rename_with(from, name, to, leaf, RENAME_NOREPLACE);

        if (r != -EINVAL && r != -ENOSYS)
                return r;
        if (fstatat(to, leaf, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return -EEXIST;
        return errno == ENOENT ? rename_with(from, name, to, leaf, 0) : -errno;
}

static int changed(const char *path, Error *err) {
        return error_say(err, -ESTALE,
                         "%s was changed while the patch was being applied, by someone else.",
                         path);
}

int landing_take(Landing *landing, const char *path, const struct stat *old, Error *err) {
        const char *leaf;
        autoclose int dir = open_parent(landing->top, path, &leaf);
        struct stat st;
        char name[16];
        int r = dir < 0 ? dir : make_room(landing, 1, err);

        if (r < 0)
                return dir < 0 ? error_set(err, r, "open the directory of %s", path) : r;
        number_name(landing->n_files, name);
        r = rename_new(dir, leaf, landing->dir, name);
        if (r < 0)
                return error_set(err, r, "take %s away", path);
        (void) note(landing, UNDO_TAKEN, path, landing->n_files++);
        if (fstatat(landing->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !landing_same(&st, old))
                return changed(path, err);
        return 0;
}

int landing_exchange(Landing *landing, unsigned number, const char *path, const struct stat *old,
                     Error *err) {
        const char *leaf;
        autoclose int dir = open_parent(landing->top, path, &leaf);
        struct stat st;
        char name[16];
        int r = dir < 0 ? dir : make_room(landing, 1, err);

        if (r < 0)
                return dir < 0 ? error_set(err, r, "open the directory of %s", path) : r;
        number_name(number, name);
        r = rename_with(landing->dir, name, dir, leaf, RENAME_EXCHANGE);
        if (r == -EINVAL || r == -ENOSYS) {
                r = landing_take(landing, path, old, err);
                return r < 0 ? r : landing_place(landing, number, path, err);
        }
        if (r < 0)
                return error_set(err, r, "change %s", path);
        (void) note(landing, UNDO_EXCHANGE, path, number);
        if (fstatat(landing->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !landing_same(&st, old))
                return changed(path, err);
        return 0;
}

static int make_dir(Landing *landing, const char *path, size_t n, Error *err) {
        autofree char *parent = strndup(path, n);
        const char *leaf;
        autoclose int dir = -EBADF;
        int r = parent ? make_room(landing, 1, err) : error_set(err, -ENOMEM, "make a directory");

        if (r < 0)
                return r;
        dir = open_parent(landing->top, parent, &leaf);
        if (dir < 0)
                return error_set(err, dir, "open the directory of %s", parent);
        if (mkdirat(dir, leaf, 0777) < 0)
                return errno == EEXIST ? 0
                                       : error_set(err, -errno, "make the directory %s", parent);
        note(landing, UNDO_DIR_MADE, parent, 0)->own = parent;
        (void) TAKE_PTR(parent);
        return 0;
}

static int make_parents(Landing *landing, const char *path, Error *err) {
        const char *leaf;
        int dir = open_parent(landing->top, path, &leaf), r = 0;

        if (dir >= 0)
                return close(dir);
        if (dir != -ENOENT)
                return error_set(err, dir, "open the directory of %s", path);
        for (const char *at = strchr(path, '/'); at && r == 0; at = strchr(at + 1, '/'))
                r = make_dir(landing, path, (size_t) (at - path), err);
        return r;
}

int landing_place(Landing *landing, unsigned number, const char *path, Error *err) {
        const char *leaf;
        autoclose int dir = -EBADF;
        char name[16];
        int r = make_parents(landing, path, err);

        if (r >= 0)
                r = make_room(landing, 1, err);
        if (r < 0)
                return r;
        dir = open_parent(landing->top, path, &leaf);
        if (dir < 0)
                return error_set(err, dir, "open the directory of %s", path);
        number_name(number, name);
        r = rename_new(landing->dir, name, dir, leaf);
        if (r < 0)
                return error_set(err, r, "make %s", path);
        (void) note(landing, UNDO_PLACED, path, number);
        return 0;
}

/* Directories that are not empty stay, which is no error. */
void landing_take_dirs(Landing *landing, const char *path, const char *stop) {
        size_t least = stop ? strlen(stop) : 1;
        const char *slash = strrchr(path, '/');

        while (slash && (size_t) (slash - path) >= least) {
                autofree char *name = strndup(path, (size_t) (slash - path));
                autoclose int dir = -EBADF;
                const char *leaf;
                struct stat st;

                if (!name || make_room(landing, 1, NULL) < 0)
                        return;
                dir = open_parent(landing->top, name, &leaf);
                if (dir < 0 || fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                    unlinkat(dir, leaf, AT_REMOVEDIR) < 0)
                        return;
                slash = memrchr(path, '/', (size_t) (slash - path));
                *note(landing, UNDO_DIR_TAKEN, name, 0) =
                        (LandingNote){ .undo = UNDO_DIR_TAKEN,
                                       .path = name,
                                       .own = name,
                                       .mode = st.st_mode & 07777 };
                (void) TAKE_PTR(name);
        }
}

/* ---- the way back -------------------------------------------------------------------------------- */

static int undo(const Landing *landing, const LandingNote *one) {
        const char *leaf;
        autoclose int dir = open_parent(landing->top, one->path, &leaf);
        char name[16];

        if (dir < 0)
                return dir;
        number_name(one->number, name);
        switch (one->undo) {
        case UNDO_EXCHANGE:
                return rename_with(landing->dir, name, dir, leaf, RENAME_EXCHANGE);
        case UNDO_PLACED:
                return rename_new(dir, leaf, landing->dir, name);
        case UNDO_TAKEN:
                return rename_new(landing->dir, name, dir, leaf);
        case UNDO_DIR_MADE:
                return unlinkat(dir, leaf, AT_REMOVEDIR) < 0 ? -errno : 0;
        case UNDO_DIR_TAKEN:
                if (mkdirat(dir, leaf, one->mode) < 0)
                        return -errno;
                return fchmodat(dir, leaf, one->mode, 0) < 0 ? -errno : 0;
        default:
                return -EINVAL;
        }
}

int landing_back(Landing *landing, Error *err) {
        int r = 0;

        while (landing->n > 0) {
                LandingNote *one = &landing->notes[--landing->n];
                int now = undo(landing, one);

                if (now < 0 && r == 0)
                        r = error_set(err, now, "put %s back", one->path);
                free(one->own);
        }
        return r;
}

void landing_close(Landing *landing, bool keep) {
        char name[16];

        for (unsigned i = 0; !keep && landing->dir >= 0 && i < landing->n_files; i++) {
                number_name(i, name);
                (void) unlinkat(landing->dir, name, 0);
        }
        if (!keep && landing->dir >= 0)
                (void) unlinkat(landing->top, landing->name, AT_REMOVEDIR);
        while (landing->n > 0)
                free(landing->notes[--landing->n].own);
        free(landing->notes);
        owned_close(&landing->dir);
        *landing = LANDING_EMPTY;
}

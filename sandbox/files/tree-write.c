/* tree-write: see tree-write.h. */
#include "sandbox/files/tree-write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

/* Where a path is made: its directory, its name there, and to whom new things belong. */
typedef struct Place {
        int parent; /* owned */
        const char *leaf;
        uid_t uid;
        gid_t gid;
} Place;

/* As the innermost directory on the way to @path that the base has: in the tree it may be held (hold.h). */
static int own_like(Place *place, int old, const char *path) {
        char dir[NAME_PATH_MAX];
        struct stat st;
        size_t n = 0;

        if (fstat(old, &st) < 0)
                return -errno;
        while (S_ISDIR(st.st_mode)) {
                place->uid = st.st_uid;
                place->gid = st.st_gid;
                n += strcspn(path + n, "/");
                if (!path[n])
                        return 0;
                memcpy(dir, path, n);
                dir[n++] = 0;
                if (beneath_stat(old, dir, &st) < 0)
                        return 0;
        }
        return 0;
}

/* Go down into one directory, which is made where it is missing. With @clear what is no directory goes. */
static int enter(Place *place, const char *part, bool clear) {
        int fd = beneath_open(place->parent, part, O_PATH | O_DIRECTORY, 0);

        if ((fd == -ENOTDIR || fd == -ELOOP) && clear) {
                if (unlinkat(place->parent, part, 0) < 0)
                        return -errno;
                fd = -ENOENT;
        }
        if (fd == -ENOENT) {
                if (mkdirat(place->parent, part, 0755) < 0 ||
                    fchownat(place->parent, part, place->uid, place->gid, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                fd = beneath_open(place->parent, part, O_PATH | O_DIRECTORY, 0);
        }
        if (fd < 0)
                return fd;
        owned_close(&place->parent);
        place->parent = fd;
        return 0;
}

static int find_place(const TreePair *trees, const char *path, bool clear, Place *place) {
        char part[NAME_PART_MAX + 1];
        int r;

        place->parent = beneath_open(trees->tree, "", O_PATH | O_DIRECTORY, 0);
        r = place->parent < 0 ? place->parent : own_like(place, trees->old, path);
        while (r >= 0) {
                size_t n = strcspn(path, "/");

                if (!path[n])
                        break;
                if (n > NAME_PART_MAX)
                        return -ENAMETOOLONG;
                memcpy(part, path, n);
                part[n] = 0;
                r = enter(place, part, clear);
                path += n + 1;
        }
        place->leaf = path;
        return r;
}

static int make_file(const Place *place, const PatchSide *side, mode_t mode) {
        autoclose int fd =
                beneath_open(place->parent, place->leaf, O_WRONLY | O_CREAT | O_EXCL, 0600);
        int r = fd < 0 ? fd : fd_write_all(fd, side->content.bytes, side->content.n);

        if (r < 0)
                return r;
        if (fchown(fd, place->uid, place->gid) < 0 || fchmod(fd, mode & 01777) < 0)
                return -errno;
        return 0;
}

static int make_link(const Place *place, const PatchSide *side) {
        char target[NAME_PATH_MAX];

        if (side->content.n >= sizeof(target))
                return -ENAMETOOLONG;
        memcpy(target, side->content.bytes, side->content.n);
        target[side->content.n] = 0;
        if (symlinkat(target, place->parent, place->leaf) < 0 ||
            fchownat(place->parent, place->leaf, place->uid, place->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

static int make(Place *place, const PatchSide *side, const struct stat *like) {
        mode_t mode = side->mode == PATCH_MODE_EXEC ? 0755 : 0644;
        int r = beneath_remove(place->parent, place->leaf);

        if (r < 0 && r != -ENOENT)
                return r;
        if (like) {
                place->uid = like->st_uid;
                place->gid = like->st_gid;
                if (side_mode(like) == side->mode)
                        mode = like->st_mode;
        }
        return side->mode == PATCH_MODE_LINK ? make_link(place, side)
                                             : make_file(place, side, mode);
}

int tree_write(const TreePair *trees, const char *path, const PatchSide *side,
               const struct stat *like, Error *err) {
        Place place = { .parent = -EBADF };
        int r = find_place(trees, path, false, &place);

        if (r >= 0)
                r = make(&place, side, like);
        owned_close(&place.parent);
        return r < 0 ? error_set(err, r, "write \"%.200s\" of the tree", path) : 0;
}

int tree_remove(int tree, const char *path, Error *err) {
        char parent[NAME_PATH_MAX];
        int r = beneath_remove(tree, path);

        if (r < 0)
                return error_set(err, r, "remove \"%.200s\" of the tree", path);
        memcpy(parent, path, strlen(path) + 1);
        while (strrchr(parent, '/')) {
                const char *leaf = NULL;
                autoclose int fd = -EBADF;

                *strrchr(parent, '/') = 0;
                fd = beneath_parent(tree, parent, &leaf);
                if (fd < 0 || unlinkat(fd, leaf, AT_REMOVEDIR) < 0)
                        break;
        }
        return 0;
}

static int set_time(const Place *place, const struct stat *st) {
        struct timespec times[2] = { st->st_atim, st->st_mtim };

        return utimensat(place->parent, place->leaf, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int tree_restore(const TreePair *trees, const char *path, Error *err) {
        Place place = { .parent = -EBADF };
        autofree char *bytes = NULL;
        PatchSide side = { 0 };
        struct stat st;
        int r = beneath_stat(trees->old, path, &st);

        if (r >= 0)
                r = side_read(trees->old, path, &side, &bytes);
        if (r >= 0)
                r = find_place(trees, path, true, &place);
        if (r >= 0)
                r = make(&place, &side, &st);
        if (r >= 0)
                r = set_time(&place, &st);
        owned_close(&place.parent);
        return r < 0 ? error_set(err, r, "put \"%.200s\" of the base back", path) : 0;
}

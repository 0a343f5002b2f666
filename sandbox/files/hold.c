/*
 * hold: see hold.h. The base says what is protected; the walk is over the base, the changes are the tree's.
 *
 * Syscalls: newfstatat fchownat fchmodat fchown fchmod, and those of beneath.c and listing.c
 */
#include "sandbox/files/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/files/beneath.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"

mode_t hold_mode(mode_t mode) {
        return mode & 0022 ? mode & 0755 : mode & 01777;
}

static int give_file(const Protect *protect, const char *path) {
        const char *leaf = NULL;
        autoclose int parent = beneath_parent(protect->tree, path, &leaf);
        struct stat st;

        if (parent < 0 || fstatat(parent, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return parent < 0 ? parent : -errno;
        if (fchownat(parent, leaf, 0, 0, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISREG(st.st_mode) && (st.st_mode & 0022) &&
            fchmodat(parent, leaf, hold_mode(st.st_mode), 0) < 0)
                return -errno;
        return 0;
}

static int give_directory(const Protect *protect, const char *path) {
        autoclose int fd = beneath_dir(protect->tree, path);

        if (fd < 0)
                return fd;
        return fchown(fd, 0, 0) < 0 || fchmod(fd, HOLD_DIRECTORY_MODE) < 0 ? -errno : 0;
}

static int hold_directory(const Protect *protect, const char *path, unsigned depth);

/* Returns: 1 where it or something below is protected, 0, or negative errno. */
static int hold_item(const Protect *protect, const char *dir, const ListingItem *item,
                     unsigned depth) {
        char path[NAME_PATH_MAX];
        int r;

        if (!name_join(path, dir, item->name) || strcasecmp(item->name, ".git") == 0)
                return 0;
        if (item->is_dir)
                return depth < NAME_DEPTH_MAX ? hold_directory(protect, path, depth + 1) : 0;
        if (!protect_holds(protect, path))
                return 0;
        r = give_file(protect, path);
        return r < 0 ? r : 1;
}

static int hold_directory(const Protect *protect, const char *path, unsigned depth) {
        autoclose int fd = beneath_dir(protect->old, path);
        SCOPED(listing_free) Listing *list = NULL;
        int r = fd < 0 ? fd : listing_new(fd, &list);
        bool held = false;

        for (unsigned i = 0; r >= 0 && i < list->n; i++) {
                r = hold_item(protect, path, &list->items[i], depth);
                held |= r > 0;
        }
        if (r >= 0 && held)
                r = give_directory(protect, path);
        return r < 0 ? r : held;
}

/* Those that are on the way to a protected file; what the patch did may have made them anew. */
static int give_parents(const Protect *protect, const char *path) {
        char dir[NAME_PATH_MAX];
        char *slash;
        int r;

        memcpy(dir, path, strlen(path) + 1);
        do {
                slash = strrchr(dir, '/');
                *(slash ? slash : dir) = 0;
                r = give_directory(protect, dir);
        } while (slash && r >= 0);
        return r;
}

int hold_changed(const Protect *protect, const ApplyPlan *plan, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < plan->n_changes && r >= 0; i++) {
                const ApplyChange *change = &plan->changes[i];

                if (change->change == PATH_ADDED || !protect_holds(protect, change->path))
                        continue;
                r = give_file(protect, change->path);
                if (r >= 0)
                        r = give_parents(protect, change->path);
        }
        return r < 0 ? error_set(err, r, "give the protected files to id 0") : 0;
}

int hold_run(const Protect *protect, Error *err) {
        int r = protect->protect->n > 0 ? hold_directory(protect, "", 0) : 0;

        return r < 0 ? error_set(err, r, "give the protected files to id 0") : 0;
}

/*
 * skeleton: see skeleton.h.
 *
 * LIMIT: links for /bin, /lib … are made where the host has such links (merged /usr: every Debian since
 * 12); a host root of a host without them has only /usr/bin.
 */
#include "sandbox/skeleton.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/plan.h"

#define NEW_NAME   "skeleton.new"
#define TREE_DEPTH 8

typedef struct Entry {
        const char *path;
        mode_t mode;      /* with its type */
        uint32_t id;      /* inside the jail */
        const char *text; /* of a file */
} Entry;

static const Entry entries[] = {
        { "usr", S_IFDIR | 0755, 0, NULL },
        { "proc", S_IFDIR | 0555, 0, NULL },
        { "dev", S_IFDIR | 0755, 0, NULL },
        { "run", S_IFDIR | 0755, 0, NULL },
        { "tmp", S_IFDIR | 01777, 0, NULL },
        { "var", S_IFDIR | 0755, 0, NULL },
        { "var/lib", S_IFDIR | 0755, 0, NULL },
        { "var/cache", S_IFDIR | 0755, 0, NULL },
        { "var/tmp", S_IFDIR | 01777, 0, NULL },
        { "opt", S_IFDIR | 0755, 0, NULL },
        { "mnt", S_IFDIR | 0755, 0, NULL },
        { "root", S_IFDIR | 0700, 0, NULL },
        { "home", S_IFDIR | 0755, 0, NULL },
        { "home/user", S_IFDIR | 0755, JAIL_USER_ID, NULL },
        { "work", S_IFDIR | 0755, JAIL_USER_ID, NULL },
        { "etc", S_IFDIR | 0755, 0, NULL },
        { "etc/alternatives", S_IFDIR | 0755, 0, NULL },
        { "etc/ssl", S_IFDIR | 0755, 0, NULL },
        { "etc/ssl/certs", S_IFDIR | 0755, 0, NULL },
        /* Debian keeps half of a JDK's files here; the other half is links to them */
        { "etc/java-11-openjdk", S_IFDIR | 0755, 0, NULL },
        { "etc/java-17-openjdk", S_IFDIR | 0755, 0, NULL },
        { "etc/java-21-openjdk", S_IFDIR | 0755, 0, NULL },
        { "etc/java-25-openjdk", S_IFDIR | 0755, 0, NULL },
        { "etc/ld.so.cache", S_IFREG | 0644, 0, "" },
        { "etc/passwd", S_IFREG | 0644, 0,
          "root:x:0:0:root:/root:/bin/sh\n"
          "user:x:1000:1000:user:/home/user:/bin/sh\n"
          "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
        { "etc/group", S_IFREG | 0644, 0, "root:x:0:\ntty:x:5:\nuser:x:1000:\nnogroup:x:65534:\n" },
        { "etc/hosts", S_IFREG | 0644, 0,
          "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" },
        { "etc/nsswitch.conf", S_IFREG | 0644, 0, "passwd: files\ngroup: files\nhosts: files\n" },
};

static int make_entry(int dir, const Entry *entry, uint32_t store_id, Error *err) {
        autoclose int fd = -EBADF;
        uint32_t id = store_id + entry->id;
        int r = 0;

        if (S_ISDIR(entry->mode))
                r = mkdirat(dir, entry->path, 0700) < 0 ? -errno : 0;
        if (r < 0)
                return error_set(err, r, "make %s of the skeleton", entry->path);
        fd = S_ISDIR(entry->mode)
                     ? openat(dir, entry->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                     : openat(dir, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set(err, -errno, "open %s of the skeleton", entry->path);
        if (entry->text)
                r = fd_write_all(fd, entry->text, strlen(entry->text));
        if (r == 0 && (fchown(fd, id, id) < 0 || fchmod(fd, entry->mode & 07777) < 0))
                r = -errno;
        return r < 0 ? error_set(err, r, "write %s of the skeleton", entry->path) : 0;
}

static int make_links(int dir, uint32_t id, Error *err) {
        static const char *const names[] = { "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
        char path[16], target[64];
        unsigned i;

        for (i = 0; i < ELEMENTS(names); i++) {
                ssize_t n;

                (void) snprintf(path, sizeof(path), "/%s", names[i]);
                n = readlink(path, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;
                target[n] = 0;
                if (strncmp(target, "usr/", 4) != 0)
                        continue;
                if (symlinkat(target, dir, names[i]) < 0 ||
                    fchownat(dir, names[i], id, id, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set(err, -errno, "make the link %s of the skeleton", names[i]);
        }
        return 0;
}

static int remove_tree(int parent, const char *name, unsigned depth) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct dirent *entry;
        DIR *dir;
        int r = 0;

        if (fd < 0)
                return errno == ENOENT ? 0 : unlinkat(parent, name, 0) < 0 ? -errno : 0;
        dir = fdopendir(fd);
        if (!dir) {
                (void) close(fd);
                return -ENOMEM;
        }
        while (r == 0 && depth > 0 && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = remove_tree(dirfd(dir), entry->d_name, depth - 1);
        (void) closedir(dir);
        return r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : r;
}

static bool is_there(int store, const char *name) {
        char path[64];

        (void) snprintf(path, sizeof(path), "skeleton/%s", name);
        return faccessat(store, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An older version's lacks what this one needs, or has what no jail is to see. */
static bool is_ours(int store) {
        static const char *const dropped[] = { "old", "new", "upper", "out", "tree" };

        for (unsigned i = 0; i < ELEMENTS(entries); i++)
                if (!is_there(store, entries[i].path))
                        return false;
        for (unsigned i = 0; i < ELEMENTS(dropped); i++)
                if (is_there(store, dropped[i]))
                        return false;
        return true;
}

int skeleton_make(int store, uint32_t store_id, Error *err) {
        autoclose int dir = -EBADF;
        struct stat st;
        unsigned i;
        int r = 0;

        if (fstatat(store, "skeleton", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
            st.st_uid == store_id && is_ours(store))
                return 0;
        r = remove_tree(store, NEW_NAME, TREE_DEPTH);
        if (r == 0)
                r = remove_tree(store, "skeleton", TREE_DEPTH);
        if (r < 0 || mkdirat(store, NEW_NAME, 0755) < 0)
                return error_set(err, r < 0 ? r : -errno, "make the skeleton anew");
        dir = openat(store, NEW_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (dir < 0 || fchown(dir, store_id, store_id) < 0 || fchmod(dir, 0755) < 0)
                return error_set(err, -errno, "open the new skeleton");
        for (i = 0; r == 0 && i < ELEMENTS(entries); i++)
                r = make_entry(dir, &entries[i], store_id, err);
        if (r == 0)
                r = make_links(dir, store_id, err);
        if (r == 0 && renameat(store, NEW_NAME, store, "skeleton") < 0)
                r = error_set(err, -errno, "put the new skeleton in place");
        return r;
}

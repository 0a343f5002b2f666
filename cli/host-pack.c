/*
 * host-pack: see host-pack.h.
 *
 * dpkg knows a file by the name under which it came (/lib/x86_64-linux-gnu/libc.so.6), which may lead through a link of today
 * (/lib): each name is brought to the one that the file has, and the links at the top come as well.
 */
#include "cli/host-pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "cli/host-packages.h"

#define ALTERNATIVES    "/var/lib/dpkg/alternatives"
#define ALTERNATIVE_MAX 65536

static const char *const top_links[] = { "bin", "lib", "lib32", "lib64", "libx32", "sbin" };

/* Made when packages were set up, and belong to none */
static const char *const made[] = { "etc/ld.so.cache" };

static const char *const left_out[] = { "usr/share/doc/",      "usr/share/man/",
                                        "usr/share/info/",     "usr/share/lintian/",
                                        "usr/share/doc-base/", "usr/share/locale/" };

static bool is_left_out(const char *path) {
        size_t n = strlen(path);

        for (size_t i = 0; i < ELEMENTS(left_out); i++)
                if (strncmp(path, left_out[i], strlen(left_out[i])) == 0)
                        return n < 10 || strcmp(path + n - 10, "/copyright") != 0;
        return false;
}

/* The directory of @path without links, and its last part as it is. Returns: length below the root, or negative errno */
static int real_name(const char *path, char *ret) {
        const char *slash = strrchr(path, '/');
        char above[PATH_MAX + 2], real[PATH_MAX];
        int n;

        if (!slash)
                return snprintf(ret, PATH_MAX, "%s", path);
        (void) snprintf(above, sizeof(above), "/%.*s", (int) (slash - path), path);
        if (!realpath(above, real))
                return -errno;
        n = snprintf(ret, PATH_MAX, "%s%s", real[1] ? real + 1 : "", real[1] ? slash : slash + 1);
        return n < PATH_MAX ? n : -ENAMETOOLONG;
}

typedef struct Directory { /* of the name before */
        char path[PATH_MAX], real[PATH_MAX];
} Directory;

/* Names come sorted, so that most have the directory of the one before; realpath(3) asks the kernel for each part */
static int real_name_beside(Directory *last, const char *path, char *ret) {
        const char *slash = strrchr(path, '/');
        size_t n = slash ? (size_t) (slash - path) : 0, leaf;
        int r;

        if (slash && strlen(last->path) == n && strncmp(last->path, path, n) == 0) {
                r = snprintf(ret, PATH_MAX, "%s%s", last->real, *last->real ? slash : slash + 1);
                return r < PATH_MAX ? r : -ENAMETOOLONG;
        }
        r = real_name(path, ret);
        if (r < 0 || !slash || n >= sizeof(last->path))
                return r;
        leaf = strlen(slash + 1);
        (void) snprintf(last->path, sizeof(last->path), "%.*s", (int) n, path);
        (void) snprintf(last->real, sizeof(last->real), "%.*s",
                        (int) ((size_t) r > leaf ? (size_t) r - leaf - 1 : 0), ret);
        return r;
}

static int real_names(const PathList *from, PathList *to, Error *err) {
        Directory last = { 0 };
        char name[PATH_MAX];

        for (size_t i = 0; i < from->n; i++) {
                int r;

                if (is_left_out(from->items[i]))
                        continue;
                r = real_name_beside(&last, from->items[i], name);
                if (r < 0)
                        continue; /* the directory is gone: so is the file */
                r = path_list_add(to, name, strlen(name));
                if (r < 0)
                        return error_set(err, r, "list the files of the packages");
        }
        path_list_sort(to);
        return 0;
}

static int add_name(PathList *list, const char *name, Error *err) {
        char real[PATH_MAX];
        int r = real_name(name, real);

        if (r >= 0)
                r = path_list_add(list, real, strlen(real));
        return r == -ENOMEM || r == -E2BIG ? error_set(err, r, "list the files") : 0;
}

/* ---- general names -------------------------------------------------------------------------------- */

/* Does /etc/alternatives/@name stand for one of our files */
static bool stands_for_ours(const PathList *list, const char *name) {
        char link[PATH_MAX], target[PATH_MAX], real[PATH_MAX];
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/etc/alternatives/%s", name);
        n = readlink(link, target, sizeof(target) - 1);
        if (n <= 0 || *target != '/')
                return false;
        target[n] = 0;
        return real_name(target + 1, real) >= 0 && path_list_has(list, real);
}

/* Its link and its name in /etc/alternatives, where it stands for one of ours */
static int add_general(const PathList *ours, PathList *more, const char *name, const char *link,
                       Error *err) {
        char path[PATH_MAX];
        int r;

        if (!name || !link || *link != '/' || strchr(name, '/') || is_left_out(link + 1) ||
            !stands_for_ours(ours, name))
                return 0;
        (void) snprintf(path, sizeof(path), "etc/alternatives/%s", name);
        r = add_name(more, path, err);
        return r < 0 ? r : add_name(more, link + 1, err);
}

/* A file of dpkg's: how it is chosen, the link; then a name and a link for each that goes with it, to an empty line */
static int take_general(const PathList *ours, PathList *more, int dir, const char *name,
                        Error *err) {
        autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        autofree char *text = NULL;
        char *at, *line, *link;
        size_t n;
        int r;

        if (fd < 0 || fd_read_all(fd, ALTERNATIVE_MAX, &text, &n) < 0)
                return 0;
        at = text;
        (void) strsep(&at, "\n");
        link = strsep(&at, "\n");
        r = add_general(ours, more, name, link, err);
        while (r == 0 && (line = strsep(&at, "\n")) && *line) {
                link = strsep(&at, "\n");
                r = add_general(ours, more, line, link, err);
        }
        return r;
}

static int add_generals(const PathList *ours, PathList *more, Error *err) {
        DIR *dir = opendir(ALTERNATIVES);
        const struct dirent *item;
        int r = 0;

        while (dir && r == 0 && (item = readdir(dir)))
                if (item->d_name[0] != '.')
                        r = take_general(ours, more, dirfd(dir), item->d_name, err);
        if (dir)
                (void) closedir(dir);
        return r;
}

/* ---- all together --------------------------------------------------------------------------------- */

static int add_fixed(PathList *list, Error *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(top_links); i++)
                r = path_list_add(list, top_links[i], strlen(top_links[i]));
        for (size_t i = 0; r >= 0 && i < ELEMENTS(made); i++)
                r = path_list_add(list, made[i], strlen(made[i]));
        return r < 0 ? error_set(err, r, "list the files") : 0;
}

static int list_packages(char *const *names, int n, PathList *ret, Error *err) {
        PathList listed = { 0 }, more = { 0 };
        int r = host_packages_files(names, n, &listed, err);

        path_list_sort(&listed);
        if (r >= 0)
                r = real_names(&listed, ret, err);
        if (r >= 0)
                r = add_generals(ret, &more, err);
        for (size_t i = 0; r >= 0 && i < more.n; i++)
                r = path_list_add(ret, more.items[i], strlen(more.items[i])) < 0
                            ? error_set(err, -ENOMEM, "list the files")
                            : 0;
        if (r >= 0)
                r = add_fixed(ret, err);
        path_list_sort(ret);
        path_list_deinit(&listed);
        path_list_deinit(&more);
        return r;
}

/* A path that somebody named: it must be there; what it leads to as a link comes as well */
static int pack_named(TreePack *pack, const char *path, Error *err) {
        char real[PATH_MAX], name[PATH_MAX];
        int r;

        if (!realpath(path, real))
                return error_set(err, -errno, "find %s", path);
        if (!real[1])
                return error_say(err, -EINVAL, "/ is all of the host: name what of it you need.");
        r = real_name(path + strspn(path, "/"), name);
        if (r > 0 && strcmp(name, real + 1) != 0)
                r = tree_pack_add(pack, name, false, err);
        return r < 0 ? r : tree_pack_add(pack, real + 1, true, err);
}

static int pack_all(TreePack *pack, const PathList *list, const HostPack *job, Error *err) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++)
                r = tree_pack_add(pack, list->items[i], false, err);
        for (int i = 0; r == 0 && i < job->n; i++)
                if (*job->words[i] == '/')
                        r = pack_named(pack, job->words[i], err);
        return r;
}

int host_pack_run(const HostPack *job, TreePackTotals *ret, Error *err) {
        autofree char **names = calloc((size_t) job->n + 1, sizeof(*names));
        autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        SCOPED(tree_pack_free) TreePack *pack = NULL;
        PathList list = { 0 };
        int n = 0, r;

        if (!names || root < 0)
                return error_set(err, names ? -errno : -ENOMEM, "pack files of the host");
        for (int i = 0; i < job->n; i++)
                if (*job->words[i] != '/')
                        names[n++] = job->words[i];
        r = n > 0 ? list_packages(names, n, &list, err) : 0;
        if (r >= 0)
                r = tree_pack_new(job->out, root, true, &pack, err);
        if (r >= 0)
                r = pack_all(pack, &list, job, err);
        if (r >= 0)
                r = tree_pack_end(pack, ret, err);
        path_list_deinit(&list);
        return r;
}

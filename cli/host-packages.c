/*
 * host-packages: see host-packages.h. Two questions to dpkg-query: what is installed and depends on what, and the files of
 * those that are wanted. An alternative of a dependency is the first that is installed, or that an installed package
 * provides, as dpkg itself was content with it.
 */
#include "cli/host-packages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"

#define QUERY          "/usr/bin/dpkg-query"
#define OUTPUT_MAX     (256u << 20)
#define NAME_MAX_BYTES 128

typedef struct Package {
        char *name, *arch, *essential, *status, *provides, *depends,
                *full; /* borrowed from the text */
        bool wanted;
} Package;

typedef struct Provided { /* a name that no package has, and who stands for it */
        char *name;
        size_t package;
} Provided;

typedef struct Packages {
        char *text;     /* owned, as the arrays */
        Package *items; /* by name */
        size_t n;
        Provided *provided; /* by name */
        size_t n_provided;
        const char *arch; /* the host's own; borrowed from the text */
        size_t *queue;    /* wanted ones, in the order in which they were */
        size_t n_queue;
} Packages;

/* ---- lists of paths ------------------------------------------------------------------------------- */

int path_list_add(PathList *list, const char *path, size_t n) {
        if (list->n >= HOST_PATHS_MAX)
                return -E2BIG;
        if (list->n == list->room) {
                size_t room = list->room ? list->room * 2 : 4096;
                char **items = reallocarray(list->items, room, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->room = room;
        }
        list->items[list->n] = strndup(path, n);
        return list->items[list->n] ? (list->n++, 0) : -ENOMEM;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void path_list_sort(PathList *list) {
        size_t kept = 0;

        if (list->n > 1)
                qsort(list->items, list->n, sizeof(*list->items), compare_paths);
        for (size_t i = 0; i < list->n; i++) {
                if (kept > 0 && strcmp(list->items[kept - 1], list->items[i]) == 0)
                        free(list->items[i]);
                else
                        list->items[kept++] = list->items[i];
        }
        list->n = kept;
}

bool path_list_has(const PathList *list, const char *path) {
        return list->n > 0 &&
               bsearch(&path, list->items, list->n, sizeof(*list->items), compare_paths) != NULL;
}

void path_list_deinit(PathList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->items[i]);
        free(list->items);
        *list = (PathList){ 0 };
}

/* ---- dpkg-query ----------------------------------------------------------------------------------- */

static _Noreturn void exec_query(const char *const *argv, int out) {
        static const char *const environment[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(null, 2) < 0)
                _exit(126);
        (void) execve(QUERY, (char *const *) (uintptr_t) argv,
                      (char *const *) (uintptr_t) environment);
        _exit(127);
}

static int query(const char *const *argv, char **ret_text, Error *err) {
        autofree char *text = NULL;
        int ends[2], status = 0, r;
        size_t n = 0;
        pid_t pid;

        if (access(QUERY, X_OK) < 0)
                return error_say(err, -ENOENT,
                                 "This host has no dpkg-query, which knows the files of packages: "
                                 "name paths instead.");
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        pid = fork();
        if (pid == 0)
                exec_query(argv, ends[1]);
        (void) close(ends[1]);
        r = pid < 0 ? -errno : fd_read_all(ends[0], OUTPUT_MAX, &text, &n);
        (void) close(ends[0]);
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return error_set(err, r, "read what dpkg-query prints");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return error_say(err, -EREMOTEIO, "dpkg-query failed.");
        *ret_text = TAKE_PTR(text);
        return 0;
}

static void packages_deinit(Packages *packages) {
        free(packages->text);
        free(packages->items);
        free(packages->provided);
        free(packages->queue);
}

static int compare_packages(const void *a, const void *b) {
        const Package *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r ? r : strcmp(x->full, y->full);
}

static int compare_provided(const void *a, const void *b) {
        return strcmp(((const Provided *) a)->name, ((const Provided *) b)->name);
}

/* Fields of one line, which are cut apart where they stand */
static bool take_line(char *line, Package *ret) {
        char *fields[7];

        for (size_t i = 0; i < ELEMENTS(fields); i++) {
                fields[i] = line ? strsep(&line, "\t") : NULL;
                if (!fields[i])
                        return false;
        }
        *ret = (Package){ .name = fields[0],
                          .arch = fields[1],
                          .essential = fields[2],
                          .status = fields[3],
                          .full = fields[4],
                          .provides = fields[5],
                          .depends = fields[6] };
        return strncmp(ret->status, "ii", 2) == 0 || strncmp(ret->status, "hi", 2) == 0;
}

static int read_packages(Packages *packages, Error *err) {
        static const char *const argv[] = {
                QUERY, "-W",
                "-f=${Package}\\t${Architecture}\\t${Essential}\\t"
                "${db:Status-Abbrev}\\t${binary:Package}\\t${Provides}\\t"
                "${Pre-Depends}, ${Depends}\\n",
                NULL
        };
        char *at, *line;
        int r = query(argv, &packages->text, err);

        if (r < 0)
                return r;
        packages->items = calloc(HOST_PACKAGES_MAX, sizeof(*packages->items));
        packages->queue = calloc(HOST_PACKAGES_MAX, sizeof(*packages->queue));
        if (!packages->items || !packages->queue)
                return error_set(err, -ENOMEM, "list the packages");
        for (at = packages->text; packages->n < HOST_PACKAGES_MAX && (line = strsep(&at, "\n"));)
                if (take_line(line, &packages->items[packages->n])) {
                        if (strcmp(packages->items[packages->n].name, "dpkg") == 0)
                                packages->arch = packages->items[packages->n].arch;
                        packages->n++;
                }
        qsort(packages->items, packages->n, sizeof(*packages->items), compare_packages);
        return 0;
}

/* The name that begins a piece of a dependency, "libc6 (>= 2.34)" or "python3:any" */
static void take_name(const char *text, char *ret) {
        size_t n;

        text += strspn(text, " ");
        n = strcspn(text, " (:[");
        if (n >= NAME_MAX_BYTES)
                n = NAME_MAX_BYTES - 1;
        memcpy(ret, text, n);
        ret[n] = 0;
}

static int read_provided(Packages *packages, Error *err) {
        size_t room = 0;

        for (size_t i = 0; i < packages->n; i++) {
                char *at = packages->items[i].provides, *piece;

                while ((piece = strsep(&at, ","))) {
                        piece += strspn(piece, " ");
                        if (!*piece)
                                continue;
                        if (packages->n_provided == room) {
                                Provided *more = reallocarray(packages->provided, room + 1024,
                                                              sizeof(*more));

                                if (!more)
                                        return error_set(err, -ENOMEM, "list the packages");
                                packages->provided = more;
                                room += 1024;
                        }
                        piece[strcspn(piece, " (:")] = 0;
                        packages->provided[packages->n_provided++] = (Provided){ piece, i };
                }
        }
        if (packages->n_provided > 1)
                qsort(packages->provided, packages->n_provided, sizeof(*packages->provided),
                      compare_provided);
        return 0;
}

/* ---- what is wanted ------------------------------------------------------------------------------- */

static void want(Packages *packages, size_t i) {
        if (packages->items[i].wanted)
                return;
        packages->items[i].wanted = true;
        packages->queue[packages->n_queue++] = i;
}

/* Of several architectures the host's own, or what has none. Returns: its place, or n where there is none */
static size_t find_package(const Packages *packages, const char *name) {
        size_t low = 0, high = packages->n, best;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(packages->items[middle].name, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        best = packages->n;
        for (; low < packages->n && strcmp(packages->items[low].name, name) == 0; low++)
                if (best == packages->n || strcmp(packages->items[low].arch, "all") == 0 ||
                    (packages->arch && strcmp(packages->items[low].arch, packages->arch) == 0))
                        best = low;
        return best;
}

static bool want_name(Packages *packages, const char *name) {
        const Provided key = { .name = (char *) (uintptr_t) name };
        const Provided *provided;
        size_t i = find_package(packages, name);

        if (i == packages->n && packages->n_provided > 0) {
                provided = bsearch(&key, packages->provided, packages->n_provided,
                                   sizeof(*packages->provided), compare_provided);
                i = provided ? provided->package : i;
        }
        if (i == packages->n)
                return false;
        want(packages, i);
        return true;
}

/* "a (>= 1) | b, c": of each group the first that is there. What is missing was missing for dpkg, too */
static void want_depends(Packages *packages, char *depends) {
        char *groups = depends, *group;

        while ((group = strsep(&groups, ","))) {
                char *alternative, name[NAME_MAX_BYTES];
                bool found = false;

                while (!found && (alternative = strsep(&group, "|"))) {
                        take_name(alternative, name);
                        found = *name && want_name(packages, name);
                }
        }
}

/* By the name that a person gives: with an architecture, too */
static int want_given(Packages *packages, const char *name, Error *err) {
        for (size_t i = 0; strchr(name, ':') && i < packages->n; i++)
                if (strcmp(packages->items[i].full, name) == 0) {
                        want(packages, i);
                        return 0;
                }
        if (!strchr(name, ':') && want_name(packages, name))
                return 0;
        return error_say(err, -ENOENT, "The package '%.100s' is not installed on this host.", name);
}

static int choose(Packages *packages, char *const *names, int n, Error *err) {
        int r = read_packages(packages, err);

        if (r >= 0)
                r = read_provided(packages, err);
        for (int i = 0; r >= 0 && i < n; i++)
                r = want_given(packages, names[i], err);
        for (size_t i = 0; r >= 0 && i < packages->n; i++)
                if (strcmp(packages->items[i].essential, "yes") == 0)
                        want(packages, i);
        for (size_t i = 0; r >= 0 && i < packages->n_queue; i++)
                want_depends(packages, packages->items[packages->queue[i]].depends);
        return r;
}

/* A path a line, from the root; what is said of diversions begins otherwise, but for where a file went */
static int take_files(char *text, PathList *ret, Error *err) {
        char *line;

        while ((line = strsep(&text, "\n"))) {
                const char *went = strstr(line, " to: /");
                const char *path = *line == '/' ? line : went ? went + 5 : NULL;
                int r = path && path[1] && strcmp(path, "/.") != 0
                                ? path_list_add(ret, path + 1, strlen(path + 1))
                                : 0;

                if (r < 0)
                        return error_set(err, r, "list the files of the packages");
        }
        return 0;
}

static int list_files(const Packages *packages, PathList *ret, Error *err) {
        autofree const char **argv = calloc(packages->n_queue + 3, sizeof(*argv));
        autofree char *text = NULL;
        int r;

        if (!argv)
                return error_set(err, -ENOMEM, "list the files of the packages");
        argv[0] = QUERY;
        argv[1] = "-L";
        for (size_t i = 0; i < packages->n_queue; i++)
                argv[i + 2] = packages->items[packages->queue[i]].full;
        r = query(argv, &text, err);
        return r < 0 ? r : take_files(text, ret, err);
}

int host_packages_files(char *const *names, int n, PathList *ret, Error *err) {
        Packages packages = { .n = 0 };
        int r = choose(&packages, names, n, err);

        if (r >= 0)
                r = list_files(&packages, ret, err);
        packages_deinit(&packages);
        return r;
}

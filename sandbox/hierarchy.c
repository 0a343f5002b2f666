/*
 * hierarchy: see hierarchy.h.
 *
 * The own group of each tree is the place for our base: a container or a service that we run in keeps its
 * limits over everything we start. Where the own group cannot be reached below the mount (another cgroup
 * namespace, a bind of a part), the mount's root is what we were given, and is taken instead.
 */
#include "sandbox/hierarchy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/plan.h"

#define SWEEP_MSEC     60000 /* a busy host takes seconds to end a hundred processes */
#define SWEEP_STEP     20
#define V2_CONTROLLERS "+memory +pids +cpu"

DEFINE_SCOPED(DIR *, closedir);

static const char *const tree_names[_TREE_MAX] = {
        [TREE_V2] = "",     [TREE_MEMORY] = "memory", [TREE_PIDS] = "pids",
        [TREE_CPU] = "cpu", [TREE_IO] = "blkio",      [TREE_CPUSET] = "cpuset",
};

/* ---- finding the trees --------------------------------------------------------------------------- */

static bool has_word(const char *list, const char *word, char separator) {
        size_t n = strlen(word);

        while (list) {
                if (strncmp(list, word, n) == 0 && (list[n] == separator || !list[n]))
                        return true;
                list = strchr(list, separator);
                list = list ? list + 1 : NULL;
        }
        return false;
}

/* Path of this process in a tree, from its line "7:memory:/path" of /proc/self/cgroup. */
static void own_path(const char *cgroups, Tree tree, char *path, size_t n) {
        const char *line, *end, *list, *at;
        char names[128];

        (void) snprintf(path, n, "/");
        for (line = cgroups; *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                list = memchr(line, ':', (size_t) (end - line));
                at = list ? memchr(list + 1, ':', (size_t) (end - list - 1)) : NULL;
                if (!at || (size_t) (at - list) > sizeof(names))
                        continue;
                (void) snprintf(names, sizeof(names), "%.*s", (int) (at - list - 1), list + 1);
                if (tree == TREE_V2 ? names[0] == 0 : has_word(names, tree_names[tree], ','))
                        (void) snprintf(path, n, "%.*s", (int) (end - at - 1), at + 1);
        }
}

/* Opens the own group below a mount of the tree, else the mount's root. */
static int open_own(const char *mount_point, const char *path) {
        char whole[1024];
        int fd = -1;

        if ((size_t) snprintf(whole, sizeof(whole), "%s/%s", mount_point, path) < sizeof(whole))
                fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Which tree is this line of /proc/self/mounts; _TREE_MAX: none of ours. */
static Tree tree_of_mount(const char *type, const char *options) {
        unsigned tree;

        if (strcmp(type, "cgroup2") == 0)
                return TREE_V2;
        for (tree = TREE_MEMORY; strcmp(type, "cgroup") == 0 && tree < _TREE_MAX; tree++)
                if (has_word(options, tree_names[tree], ','))
                        return (Tree) tree;
        return _TREE_MAX;
}

static int find_trees(Hierarchy *hierarchy, Error *err) {
        autofree char *cgroups = NULL;
        char line[2048], point[1024], type[64], options[512], path[512];
        size_t n;
        autoclose int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
        FILE *mounts;
        int r;

        if (fd < 0)
                return error_set(err, -errno, "open /proc/self/cgroup");
        r = fd_read_all(fd, 65536, &cgroups, &n);
        if (r < 0)
                return error_set(err, r, "read /proc/self/cgroup");
        mounts = fopen("/proc/self/mounts", "re");
        if (!mounts)
                return error_set(err, -errno, "read /proc/self/mounts");
        while (fgets(line, sizeof(line), mounts)) {
                Tree tree;

                if (sscanf(line, "%*s %1023s %63s %511s", point, type, options) != 3)
                        continue;
                tree = tree_of_mount(type, options);
                if (tree == _TREE_MAX || hierarchy->parent[tree] >= 0)
                        continue;
                own_path(cgroups, tree, path, sizeof(path));
                hierarchy->parent[tree] = open_own(point, path);
        }
        (void) fclose(mounts);
        return 0;
}

/* ---- v2: a group whose controllers we may pass on ------------------------------------------------ */

static bool is_delegated(int group) {
        char value[4] = { 0 };

        return (fgetxattr(group, "user.delegate", value, sizeof(value) - 1) == 1 ||
                fgetxattr(group, "trusted.delegate", value, sizeof(value) - 1) == 1) &&
               value[0] == '1';
}

/* A group with processes cannot pass controllers on: what is in ours moves into a sub-group. */
static int leave_to_subgroup(int group, Error *err) {
        autoclose int fd = -EBADF, below = -EBADF;
        autofree char *text = NULL;
        char *line, *next;
        size_t n;
        int r;

        if (mkdirat(group, "supervisor", 0755) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make the supervisor's own group");
        fd = group_open_file(group, "cgroup.procs", O_RDONLY);
        r = fd < 0 ? fd : fd_read_all(fd, 1u << 20, &text, &n);
        if (r < 0)
                return error_set(err, r, "read cgroup.procs of the own group");
        below = openat(group, "supervisor", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (below < 0)
                return error_set(err, -errno, "open the supervisor's own group");
        for (line = text; *line; line = next) {
                next = strchrnul(line, '\n');
                if (*next)
                        *next++ = 0;
                r = group_write(below, "cgroup.procs", line, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int choose_v2_parent(Hierarchy *hierarchy, Error *err) {
        int group = hierarchy->parent[TREE_V2], root;

        if (is_delegated(group))
                return leave_to_subgroup(group, err);
        root = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set(err, -errno, "open /sys/fs/cgroup");
        (void) close(group);
        hierarchy->parent[TREE_V2] = root;
        return 0;
}

/* Decides which kind of host this is; names what is missing. */
static int choose_mode(Hierarchy *hierarchy, Error *err) {
        autofree char *controllers = NULL;
        autoclose int fd = -EBADF;
        size_t n;
        unsigned tree;

        if (hierarchy->parent[TREE_V2] < 0)
                return error_say(err, -ENOSYS,
                                 "no cgroup v2 tree is mounted: mount one on "
                                 "/sys/fs/cgroup or /sys/fs/cgroup/unified");
        fd = group_open_file(hierarchy->parent[TREE_V2], "cgroup.controllers", O_RDONLY);
        if (fd < 0 || fd_read_all(fd, 4096, &controllers, &n) < 0)
                return error_say(err, -EIO, "cgroup.controllers of the v2 tree cannot be read");
        if (n > 0 && controllers[n - 1] == '\n')
                controllers[n - 1] = 0;
        hierarchy->mode = CGROUP_V2;
        for (tree = TREE_MEMORY; tree < _TREE_NEEDED; tree++)
                if (!has_word(controllers, tree_names[tree], ' '))
                        hierarchy->mode = CGROUP_HYBRID;
        if (hierarchy->mode == CGROUP_V2)
                return choose_v2_parent(hierarchy, err);
        for (tree = TREE_MEMORY; tree < _TREE_NEEDED; tree++)
                if (hierarchy->parent[tree] < 0)
                        return error_say(err, -ENOSYS,
                                         "the cgroup controller \"%s\" is neither in the v2 tree "
                                         "nor mounted as v1",
                                         tree_names[tree]);
        return 0;
}

/* ---- our base groups ------------------------------------------------------------------------------ */

/* Kills everything in the dead supervisor's v2 group and waits until it is empty. */
static int sweep_processes(int base) {
        autoclose int events = group_open_file(base, "cgroup.events", O_RDONLY);
        struct pollfd poll_events = { .fd = events, .events = POLLPRI };
        uint64_t populated = 1;
        int r;

        (void) group_write(base, "cgroup.kill", "1", NULL);
        while (fd_read_keyed(events, "populated", &populated) == 0 && populated) {
                r = poll(&poll_events, 1, SWEEP_MSEC);
                if (r == 0 || (r < 0 && errno != EINTR))
                        return -EBUSY;
        }
        return 0;
}

/* Who was about to enter a group when everything in it was killed is in it for a moment. */
static int remove_left(int parent, const char *name) {
        int r = group_remove_tree(parent, name);

        for (unsigned waited = 0; r == -EBUSY && waited < SWEEP_MSEC; waited += SWEEP_STEP) {
                (void) poll(NULL, 0, SWEEP_STEP);
                r = group_remove_tree(parent, name);
        }
        return r;
}

static int make_base(Hierarchy *hierarchy, Tree tree, Error *err) {
        int parent = hierarchy->parent[tree], r = 0;
        int base = openat(parent, hierarchy->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (base >= 0 && tree == TREE_V2)
                r = sweep_processes(base);
        if (base >= 0)
                (void) close(base);
        if (r == 0)
                r = remove_left(parent, hierarchy->name);
        if (r < 0)
                return error_set(err, r, "remove the group %s that a dead supervisor left",
                                 hierarchy->name);
        if (mkdirat(parent, hierarchy->name, 0755) < 0)
                return error_set(err, -errno, "make the group %s in the %s tree", hierarchy->name,
                                 tree == TREE_V2 ? "v2" : tree_names[tree]);
        base = openat(parent, hierarchy->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (base < 0)
                return error_set(err, -errno, "open the group %s", hierarchy->name);
        hierarchy->base[tree] = base;
        return 0;
}

/* A v1 cpuset group takes no process before it has processors and memory nodes: all of its parent's. */
static int copy_cpuset(const Hierarchy *hierarchy) {
        static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
        char text[1024];
        unsigned i;
        int r = 0;

        for (i = 0; r == 0 && i < ELEMENTS(files); i++) {
                r = group_read(hierarchy->parent[TREE_CPUSET], files[i], text, sizeof(text));
                if (r == 0)
                        r = group_write(hierarchy->base[TREE_CPUSET], files[i], text, NULL);
        }
        return r;
}

/* What cannot be had here is missed only by a jail that asks for it, by name: see groups_limit(). */
static void add_optional_v1(Hierarchy *hierarchy) {
        unsigned tree;

        for (tree = _TREE_NEEDED; tree < _TREE_MAX; tree++)
                if (hierarchy->parent[tree] >= 0 && make_base(hierarchy, (Tree) tree, NULL) == 0 &&
                    (tree != TREE_CPUSET || copy_cpuset(hierarchy) == 0))
                        hierarchy->has |= BIT(tree);
}

/* Of the group that ours lies in. They are switched on for ours when a jail first asks, not before. */
static void add_optional_v2(Hierarchy *hierarchy) {
        char words[512];

        if (group_read(hierarchy->parent[TREE_V2], "cgroup.controllers", words, sizeof(words)) < 0)
                return;
        hierarchy->has |= has_word(words, "io", ' ') ? BIT(TREE_IO) : 0;
        hierarchy->has |= has_word(words, "cpuset", ' ') ? BIT(TREE_CPUSET) : 0;
}

/*
 * What the host has set aside as huge pages no memory limit counts: none of it for jails. One limit at our
 * base holds for all of them. Where the controller is not in this tree they have what every process has.
 */
static int forbid_huge_pages(const Hierarchy *hierarchy, Error *err) {
        SCOPED(closedir) DIR *base = NULL;
        const struct dirent *entry;
        int r = 0, fd;

        (void) group_write(hierarchy->parent[TREE_V2], "cgroup.subtree_control", "+hugetlb", NULL);
        fd = openat(hierarchy->base[TREE_V2], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        base = fd < 0 ? NULL : fdopendir(fd);
        if (!base && fd >= 0)
                (void) close(fd);
        if (!base)
                return error_set(err, -errno, "list the files of our group");
        while (r == 0 && (entry = readdir(base))) {
                size_t n = strlen(entry->d_name);

                /* hugetlb.2MB.max and hugetlb.2MB.rsvd.max, and each other size */
                if (strncmp(entry->d_name, "hugetlb.", 8) == 0 && n > 12 &&
                    strcmp(entry->d_name + n - 4, ".max") == 0)
                        r = group_write(hierarchy->base[TREE_V2], entry->d_name, "0", err);
        }
        return r;
}

int hierarchy_init(Hierarchy *hierarchy, const char *instance, Error *err) {
        unsigned tree, last;
        int r;

        (void) snprintf(hierarchy->name, sizeof(hierarchy->name), "warder-%s", instance);
        r = find_trees(hierarchy, err);
        if (r == 0)
                r = choose_mode(hierarchy, err);
        last = hierarchy->mode == CGROUP_V2 ? TREE_V2 : TREE_CPU;
        for (tree = TREE_V2; r == 0 && tree <= last; tree++)
                r = make_base(hierarchy, (Tree) tree, err);
        if (r == 0)
                r = forbid_huge_pages(hierarchy, err);
        if (r == 0 && hierarchy->mode == CGROUP_HYBRID)
                add_optional_v1(hierarchy);
        if (r < 0 || hierarchy->mode == CGROUP_HYBRID)
                return r;
        r = group_write(hierarchy->parent[TREE_V2], "cgroup.subtree_control", V2_CONTROLLERS, err);
        if (r == 0)
                r = group_write(hierarchy->base[TREE_V2], "cgroup.subtree_control", V2_CONTROLLERS,
                                err);
        if (r == 0)
                add_optional_v2(hierarchy);
        return r;
}

void hierarchy_deinit(Hierarchy *hierarchy) {
        unsigned tree;

        for (tree = 0; tree < _TREE_MAX; tree++) {
                if (hierarchy->base[tree] >= 0)
                        (void) group_remove_tree(hierarchy->parent[tree], hierarchy->name);
                fds_close(&hierarchy->base[tree], 1);
                fds_close(&hierarchy->parent[tree], 1);
        }
}

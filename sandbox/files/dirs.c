/* dirs: see dirs.h. */
#include "sandbox/files/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"

void dirs_init(Dirs *dirs, int root) {
        dirs->root = root;
        dirs->depth = 0;
        dirs->path[0] = 0;
}

static void leave_to(Dirs *dirs, unsigned depth) {
        while (dirs->depth > depth)
                owned_close(&dirs->fds[--dirs->depth]);
        dirs->path[depth > 0 ? dirs->ends[depth - 1] : 0] = 0;
}

void dirs_deinit(Dirs *dirs) {
        leave_to(dirs, 0);
}

/* How many of the open directories lie on the path. */
static unsigned shared_depth(const Dirs *dirs, const char *path, size_t n) {
        unsigned depth = 0;

        while (depth < dirs->depth) {
                size_t end = dirs->ends[depth];

                if (end > n || (end < n && path[end] != '/') || memcmp(dirs->path, path, end) != 0)
                        break;
                depth++;
        }
        return depth;
}

static int enter_part(Dirs *dirs, const char *path, size_t start, size_t end) {
        int parent = dirs->depth > 0 ? dirs->fds[dirs->depth - 1] : dirs->root;
        char part[NAME_PART_MAX + 1];
        int fd;

        if (end - start > NAME_PART_MAX || dirs->depth > NAME_DEPTH_MAX)
                return -ENAMETOOLONG;
        memcpy(part, path + start, end - start);
        part[end - start] = 0;
        fd = beneath_open(parent, part, O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
                return fd;
        memcpy(dirs->path, path, end);
        dirs->path[end] = 0;
        dirs->ends[dirs->depth] = (uint16_t) end;
        dirs->fds[dirs->depth++] = fd;
        return 0;
}

int dirs_enter(Dirs *dirs, const char *path, size_t n) {
        size_t start;
        int r;

        leave_to(dirs, shared_depth(dirs, path, n));
        start = dirs->depth > 0 ? dirs->ends[dirs->depth - 1] + 1u : 0;
        while (start < n) {
                const char *slash = memchr(path + start, '/', n - start);
                size_t end = slash ? (size_t) (slash - path) : n;

                r = enter_part(dirs, path, start, end);
                if (r < 0)
                        return r;
                start = end + 1;
        }
        return dirs->depth > 0 ? dirs->fds[dirs->depth - 1] : dirs->root;
}

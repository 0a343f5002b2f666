/* side: see side.h. */
#include "sandbox/files/side.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/names.h"

#define CHUNK 65536

unsigned side_mode(const struct stat *st) {
        if (S_ISLNK(st->st_mode))
                return PATCH_MODE_LINK;
        if (S_ISREG(st->st_mode))
                return st->st_mode & 0100 ? PATCH_MODE_EXEC : PATCH_MODE_FILE;
        return 0;
}

static int read_link(int dir, const char *path, char **ret_bytes, size_t *ret_n) {
        char target[NAME_PATH_MAX];
        int n = beneath_read_link(dir, path, target);

        if (n < 0)
                return n;
        *ret_bytes = strdup(target);
        *ret_n = (size_t) n;
        return *ret_bytes ? 0 : -ENOMEM;
}

static int read_file(int dir, const char *path, char **ret_bytes, size_t *ret_n) {
        autoclose int fd = beneath_open(dir, path, O_RDONLY | O_NONBLOCK, 0);

        return fd < 0 ? fd : fd_read_all(fd, PATCH_FILE_MAX, ret_bytes, ret_n);
}

int side_read(int dir, const char *path, PatchSide *ret_side, char **ret_bytes) {
        PatchSide side = { 0 };
        struct stat st;
        int r = beneath_stat(dir, path, &st);

        if (r == -ENOENT) {
                *ret_side = side;
                return 0;
        }
        if (r < 0)
                return r;
        side.mode = side_mode(&st);
        if (side.mode == PATCH_MODE_LINK)
                r = read_link(dir, path, ret_bytes, &side.content.n);
        else if (side.mode != 0)
                r = read_file(dir, path, ret_bytes, &side.content.n);
        if (r < 0)
                return r;
        side.content.bytes = *ret_bytes;
        *ret_side = side;
        return 0;
}

/* Fill @chunk from @fd as far as there is something. Returns: bytes or negative errno */
static ssize_t fill(int fd, char *chunk) {
        size_t n = 0;

        while (n < CHUNK) {
                ssize_t got = read(fd, chunk + n, CHUNK - n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
        }
        return (ssize_t) n;
}

int side_same(int dir, int other, const char *path) {
        autofree char *chunks = malloc(2 * CHUNK);
        autoclose int a = beneath_open(dir, path, O_RDONLY | O_NONBLOCK, 0);
        autoclose int b = beneath_open(other, path, O_RDONLY | O_NONBLOCK, 0);
        ssize_t n, m;

        if (a < 0 || b < 0 || !chunks)
                return a < 0 ? a : b < 0 ? b : -ENOMEM;
        do {
                n = fill(a, chunks);
                m = fill(b, chunks + CHUNK);
                if (n < 0 || m < 0)
                        return (int) (n < 0 ? n : m);
                if (n != m || memcmp(chunks, chunks + CHUNK, (size_t) n) != 0)
                        return 0;
        } while (n > 0);
        return 1;
}

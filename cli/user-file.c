/*
 * user-file: see user-file.h.
 */
#include "cli/user-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/as-user.h"
#include "cli/workdir.h"

static int read_bytes(const char *path, size_t max, char **ret, size_t *ret_n, Error *err) {
        autoclose int fd = -EBADF;
        char most[UNITS_TEXT_MAX];
        User user;
        int r;

        if (strcmp(path, "-") != 0) {
                user_of_caller(&user);
                fd = as_user_open(&user, path, O_RDONLY, err);
                if (fd < 0)
                        return fd;
        }
        r = fd_read_all(fd < 0 ? 0 : fd, max, ret, ret_n);
        if (r == -EFBIG)
                return error_say(err, r, "%s is longer than %s, the most that is taken.",
                                 fd < 0 ? "stdin" : path, units_format_size(max, most));
        return r < 0 ? error_set(err, r, "read %s", fd < 0 ? "stdin" : path) : 0;
}

int user_file_read(const char *path, size_t max, char **ret, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r = read_bytes(path, max, &text, &n, err);

        if (r < 0)
                return r;
        if (memchr(text, '\0', n))
                return error_say(err, -EINVAL, "%s is no text: it has a zero byte.", path);
        *ret = TAKE_PTR(text);
        return 0;
}

int user_file_json(const char *path, size_t max, cJSON **ret, Error *err) {
        autofree char *text = NULL;
        int r = user_file_read(path, max, &text, err);

        if (r < 0)
                return r;
        r = json_parse(text, strlen(text), JSON_COMMENTS, ret, err);
        return r < 0 ? error_add(err, r, "%s", path) : 0;
}

int user_file_spool(const char *path, size_t max, int *ret_fd, Error *err) {
        autoclose int fd = spool_new(err);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (fd < 0)
                return fd;
        r = read_bytes(path, max, &text, &n, err);
        if (r < 0)
                return r;
        r = fd_write_all(fd, text, n);
        if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, r < 0 ? r : -errno, "keep a copy of %s", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

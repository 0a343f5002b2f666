/*
 * outfile: see outfile.h.
 */
#include "cli/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/as-user.h"

typedef struct OutArg {
        const char *path;
        const char *text;
        bool add_newline;
} OutArg;

static int write_in_child(void *arg, void *result, Error *err) {
        const OutArg *out = arg;
        autoclose int fd = open(out->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        int r = fd < 0 ? -errno : fd_write_all(fd, out->text, strlen(out->text));

        (void) result;
        if (r == 0 && out->add_newline)
                r = fd_write_all(fd, "\n", 1);
        return r < 0 ? error_set(err, r, "write %s", out->path) : 0;
}

int outfile_write(const char *path, const char *text, bool add_newline, Error *err) {
        OutArg arg = { path, text, add_newline };
        UserJob job = { .run = write_in_child, .arg = &arg };
        User user;

        user_of_caller(&user);
        return as_user_call(&user, &job, err);
}

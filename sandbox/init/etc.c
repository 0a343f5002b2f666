/*
 * etc: see etc.h. It is done here and not by the builder, which has the host's CAP_SYS_ADMIN: privilege
 * parses nothing.
 */
#include "sandbox/init/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/owned.h"
#include "base/root-path.h"
#include "sandbox/init/park.h"
#include "sandbox/init/spawner.h"

#define ETC_FILE_MAX (1u << 20)
#define USER_NAME    "user"
#define USER_HOME    "home/user"

/* What "name:password:id:…" lines say about the plan's user. */
typedef struct Found {
        bool id;   /* a line has the id */
        bool name; /* a line has the name */
} Found;

/* Does the third field of this line say @id? No further than the line's end is looked: there may be a million. */
static bool line_has_id(const char *line, uint32_t id) {
        const char *at = line + strcspn(line, ":\n");

        if (at == line || *at != ':')
                return false;
        at += 1 + strcspn(at + 1, ":\n");
        return *at == ':' && at[1] >= '0' && at[1] <= '9' && strtoull(at + 1, NULL, 10) == id;
}

static Found find_user(const char *text, uint32_t id) {
        Found found = { false, false };
        const char *line;

        for (line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                found.id |= line_has_id(line, id);
                found.name |= strncmp(line, USER_NAME ":", strlen(USER_NAME) + 1) == 0;
        }
        return found;
}

static int read_file(int etc, const char *name, char **ret_text, Error *err) {
        struct stat st;
        size_t n;
        autoclose int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        int r;

        if (fd < 0 && errno == ENOENT) {
                *ret_text = strdup("");
                return *ret_text ? 0 : -ENOMEM;
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "open /etc/%s of the snapshot", name);
        if (!S_ISREG(st.st_mode))
                return error_say(err, -EINVAL, "/etc/%s of the snapshot is not a regular file",
                                 name);
        r = fd_read_all(fd, ETC_FILE_MAX, ret_text, &n);
        return r < 0 ? error_set(err, r, "read /etc/%s of the snapshot", name) : 0;
}

static int write_file(int etc, const char *name, const Buf *text, Error *err) {
        autoclose int fd =
                openat(etc, name,
                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
        int r;

        if (fd < 0 || fchown(fd, 0, 0) < 0)
                return error_set(err, -errno, "open /etc/%s of the jail", name);
        r = fd_write_all(fd, text->data, text->len);
        return r < 0 ? error_set(err, r, "write /etc/%s of the jail", name) : 0;
}

/* Copies all lines, but that of USER_NAME where it is the skeleton's own. */
static int copy_lines(Buf *to, const char *text, bool drop_user) {
        const char *line, *end;
        int r = 0;

        for (line = text; r == 0 && *line; line = *end ? end + 1 : end) {
                end = strchrnul(line, '\n');
                if (!drop_user || strncmp(line, USER_NAME ":", strlen(USER_NAME) + 1) != 0)
                        r = buf_printf(to, "%.*s\n", (int) (end - line), line);
        }
        return r;
}

/* Adds the user or its group where no line has the id. Returns: 1 where it did, 0, or negative errno. */
static int add_user(int etc, const char *file, const BootMessage *plan, Error *err) {
        bool group = strcmp(file, "group") == 0, own = plan->flags & PLAN_HOST_ROOT;
        uint32_t id = group ? plan->gid : plan->uid;
        autofree char *text = NULL;
        char name[24] = USER_NAME;
        Buf buf = BUF_EMPTY(ETC_FILE_MAX + 256);
        Found found;
        int r = read_file(etc, file, &text, err);

        if (r < 0)
                return r;
        found = find_user(text, id);
        if (found.id)
                return 0;
        if (found.name && !own)
                (void) snprintf(name, sizeof(name), USER_NAME "-%u", id);
        r = copy_lines(&buf, text, own);
        if (r == 0 && group)
                r = buf_printf(&buf, "%s:x:%u:\n", name, plan->gid);
        else if (r == 0)
                r = buf_printf(&buf, "%s:x:%u:%u:%s:/%s:/bin/sh\n", name, plan->uid, plan->gid,
                               name, USER_HOME);
        if (r == 0)
                r = write_file(etc, file, &buf, err);
        buf_deinit(&buf);
        return r < 0 ? error_add(err, r, "add the jail's user to /etc/%s", file) : 1;
}

static int add_hosts(int etc, Error *err) {
        char lines[] = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
        const Buf text = { .data = lines, .len = sizeof(lines) - 1 };

        if (faccessat(etc, "hosts", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        return write_file(etc, "hosts", &text, err);
}

static int make_home(int root, const BootMessage *plan, Error *err) {
        autoclose int home = root_dir(root, USER_HOME, 0, err);

        if (home < 0)
                return home;
        if (fchownat(home, "", plan->uid, plan->gid, AT_EMPTY_PATH) < 0)
                return error_set(err, -errno, "give /%s to the jail's user", USER_HOME);
        return 0;
}

static int complete(const BootMessage *plan, Error *err) {
        autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        autoclose int etc = -EBADF;
        int added, r;

        if (root < 0)
                return error_set(err, -errno, "open the jail's root");
        etc = root_dir(root, "etc", 0, err);
        if (etc < 0)
                return etc;
        added = add_user(etc, "passwd", plan, err);
        r = added < 0 ? added : add_user(etc, "group", plan, err);
        if (r >= 0)
                r = add_hosts(etc, err);
        if (r >= 0 && added > 0)
                r = make_home(root, plan, err);
        return r < 0 ? r : 0;
}

_Noreturn static void run(const BootMessage *plan) {
        Error err = ERROR_EMPTY;
        int r = caps_keep(FILES_CAPS);

        r = r < 0 ? error_set(&err, r, "drop capabilities") : complete(plan, &err);
        if (r < 0 && err.code == 0) /* out of memory comes without a text */
                (void) error_set(&err, r, "complete /etc");
        _exit(fds_send(INIT_FD_BOOT, &err, sizeof(err), NULL, 0) == sizeof(err) ? 0 : 1);
}

void etc_complete(const BootMessage *plan) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0)
                run(plan);
        while (pid > 0 && waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        _exit(1);
        if (status != 0)
                _exit(1);
}

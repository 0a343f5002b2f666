/*
 * as-user: the child has left root for good before it looks at a file: groups, then group, then user,
 * all three ids each, read back. The answer comes over a socket pair: the job's result, its reason, and
 * for as_user_open() the descriptor.
 */
#include "cli/as-user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"

#define GROUPS_MAX 256

typedef struct Reply {
        int r;
        Error err;
} Reply;

static void fill(User *user, uid_t uid, gid_t gid) {
        const struct passwd *entry = getpwuid(uid);

        *user = (User){ .uid = uid, .gid = gid, .drops = geteuid() == 0 && uid != 0 };
        if (entry) {
                snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
                snprintf(user->home, sizeof(user->home), "%s", entry->pw_dir);
        }
}

static bool behind_sudo(uid_t *ret_uid, gid_t *ret_gid) {
        const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
        uint64_t uid, gid;

        if (geteuid() != 0 || !uid_text || !gid_text ||
            units_parse_number(uid_text, &uid, NULL) < 0 ||
            units_parse_number(gid_text, &gid, NULL) < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
                return false;
        *ret_uid = (uid_t) uid;
        *ret_gid = (gid_t) gid;
        return true;
}

void user_of_caller(User *ret) {
        uid_t uid = geteuid();
        gid_t gid = getegid();

        (void) behind_sudo(&uid, &gid);
        fill(ret, uid, gid);
}

void user_of_directory(const char *path, User *ret) {
        struct stat st;

        user_of_caller(ret);
        if (geteuid() == 0 && ret->uid == 0 && !getenv("SUDO_UID") && stat(path, &st) == 0)
                fill(ret, st.st_uid, st.st_gid);
}

static int drop(const User *user, Error *err) {
        gid_t groups[GROUPS_MAX];
        int n = GROUPS_MAX;

        if (!user->name[0] || getgrouplist(user->name, user->gid, groups, &n) < 0) {
                groups[0] = user->gid;
                n = 1;
        }
        if (setgroups((size_t) n, groups) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
            setresuid(user->uid, user->uid, user->uid) < 0)
                return error_set(err, -errno, "become user %u", user->uid);
        if (getuid() != user->uid || geteuid() != user->uid || setuid(0) == 0)
                return error_say(err, -EPERM, "The rights of root could not be dropped.");
        if (user->home[0])
                (void) setenv("HOME", user->home, 1);
        else
                (void) unsetenv("HOME");
        return 0;
}

static void reset_signals(void) {
        sigset_t none;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_IGN); /* a write that fails is reported, not fatal */
}

static _Noreturn void child(const User *user, const UserJob *job, int sock) {
        Reply reply = { 0 };

        reset_signals();
        reply.r = user->drops ? drop(user, &reply.err) : 0;
        if (reply.r == 0)
                reply.r = job->run(job->arg, job->result, &reply.err);
        if (fd_write_all(sock, &reply, sizeof(reply)) < 0 ||
            (reply.r == 0 && job->result_size > 0 &&
             fd_write_all(sock, job->result, job->result_size) < 0))
                _exit(1);
        _exit(0);
}

static int read_exactly(int fd, void *bytes, size_t n) {
        size_t got = 0;

        while (got < n) {
                ssize_t r = read(fd, (char *) bytes + got, n - got);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return -ECHILD;
                got += (size_t) r;
        }
        return 0;
}

static int read_reply(int sock, const UserJob *job, Error *err) {
        Reply reply;

        if (read_exactly(sock, &reply, sizeof(reply)) < 0)
                return error_say(err, -ECHILD, "The process that reads files as the user died.");
        if (reply.r < 0) {
                reply.err.text[ERROR_TEXT_MAX - 1] = 0;
                if (err)
                        *err = reply.err;
                return reply.r;
        }
        if (job->result_size > 0 && read_exactly(sock, job->result, job->result_size) < 0)
                return error_say(err, -ECHILD, "The process that reads files as the user died.");
        return 0;
}

int as_user_start(const User *user, const UserJob *job, UserWork *ret, Error *err) {
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "make a socket pair");
        (void) fflush(NULL);
        pid = fork();
        if (pid == 0) {
                (void) close(pair[0]);
                child(user, job, pair[1]);
        }
        r = pid < 0 ? -errno : 0;
        (void) close(pair[1]);
        if (r < 0) {
                (void) close(pair[0]);
                return error_set(err, r, "start a process that reads files as the user");
        }
        *ret = (UserWork){ .pid = pid, .sock = pair[0], .job = *job };
        return 0;
}

int as_user_finish(UserWork *work, Error *err) {
        int status, r = read_reply(work->sock, &work->job, err);

        (void) close(TAKE_FD(work->sock));
        while (waitpid(work->pid, &status, 0) < 0 && errno == EINTR)
                ;
        return r;
}

int as_user_call(const User *user, const UserJob *job, Error *err) {
        UserWork work;
        int r = as_user_start(user, job, &work, err);

        return r < 0 ? r : as_user_finish(&work, err);
}

typedef struct OpenArg {
        const char *path;
        int flags;
        int sock;
} OpenArg;

static int open_in_child(void *arg, void *result, Error *err) {
        const OpenArg *open_arg = arg;
        autoclose int fd = open(open_arg->path, open_arg->flags | O_CLOEXEC, 0644);
        char byte = 0;

        (void) result;
        if (fd < 0)
                return error_set(err, -errno, "open %s", open_arg->path);
        return fds_send(open_arg->sock, &byte, 1, &fd, 1) == 1
                       ? 0
                       : error_set(err, -EIO, "pass %s", open_arg->path);
}

int as_user_open(const User *user, const char *path, int flags, Error *err) {
        autoclose int ours = -EBADF, theirs = -EBADF;
        OpenArg arg = { .path = path, .flags = flags };
        UserJob job = { .run = open_in_child, .arg = &arg };
        int pair[2], fds[FDS_MAX], r;
        unsigned n_fds = 0;
        char byte;

        if (!user->drops) {
                r = open(path, flags | O_CLOEXEC, 0644);
                return r < 0 ? error_set(err, -errno, "open %s", path) : r;
        }
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "make a socket pair");
        ours = pair[0];
        theirs = pair[1];
        arg.sock = theirs;
        r = as_user_call(user, &job, err);
        if (r < 0)
                return r;
        if (fds_recv(ours, &byte, 1, fds, &n_fds) != 1 || n_fds != 1) {
                fds_close(fds, n_fds);
                return error_say(err, -EIO, "The file %s could not be passed on.", path);
        }
        return fds[0];
}

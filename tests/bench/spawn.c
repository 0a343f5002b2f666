/* spawn: see spawn.h. */
#include "tests/bench/spawn.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/*
 * What spawned programs have for input and outputs. crun and runc give theirs to the container's user: with
 * /dev/null among them, that of the host changed hands.
 */
static int empty_sink(Error *err) {
        static int sink = -1;

        if (sink < 0)
                sink = memfd_create("output", MFD_CLOEXEC);
        if (sink < 0 || ftruncate(sink, 0) < 0 || lseek(sink, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "make a place for output");
        return sink;
}

static void tell_last_words(int sink) {
        char words[2048];
        off_t end = lseek(sink, 0, SEEK_END);
        ssize_t n = pread(sink, words, sizeof(words),
                          end > (off_t) sizeof(words) ? end - (off_t) sizeof(words) : 0);

        if (n > 0)
                (void) fwrite(words, 1, (size_t) n, stderr);
}

static int start(const char *dir, const char *const *argv, int sink, pid_t *ret_pid, Error *err) {
        posix_spawn_file_actions_t actions;
        int r;

        (void) posix_spawn_file_actions_init(&actions);
        for (int fd = 0; fd <= 2; fd++)
                (void) posix_spawn_file_actions_adddup2(&actions, sink, fd);
        if (dir)
                (void) posix_spawn_file_actions_addchdir_np(&actions, dir);
        r = posix_spawnp(ret_pid, argv[0], &actions, NULL, (char *const *) (uintptr_t) argv,
                         environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        return r != 0 ? error_set(err, -r, "spawn %s", argv[0]) : 0;
}

int spawn_wait_in(const char *dir, const char *const *argv, Error *err) {
        int status, r, sink = empty_sink(err);
        pid_t pid;

        if (sink < 0)
                return sink;
        r = start(dir, argv, sink, &pid, err);
        if (r < 0)
                return r;
        if (waitpid(pid, &status, 0) < 0)
                return error_set(err, -errno, "wait for %s", argv[0]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        tell_last_words(sink);
        return error_say(err, -EIO, "%s ended with wait status %d", argv[0], status);
}

int spawn_wait(const char *const *argv, Error *err) {
        return spawn_wait_in(NULL, argv, err);
}

int spawn_shell(const char *script, const char *dir, Error *err) {
        const char *argv[] = { "/bin/sh", "-euc", script, "sh", dir, NULL };

        return spawn_wait(argv, err);
}

int spawn_left(const char *const *argv, pid_t *ret_pid, Error *err) {
        int sink = empty_sink(err);

        return sink < 0 ? sink : start(NULL, argv, sink, ret_pid, err);
}

bool spawn_null_is_whole(void) {
        struct stat st;

        return lstat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_uid == 0 &&
               st.st_gid == 0 && (st.st_mode & 07777) == 0666 && st.st_rdev == makedev(1, 3);
}

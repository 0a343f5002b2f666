/*
 * git: see git.h. The configuration of the repository is read, as for every git of the user, but what in
 * it would run programs is switched off from the command line, which no configuration can override.
 */
#include "cli/git.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define GIT_READ_MAX   (256 * 1024 * 1024)
#define LINE_MAX_SHOWN 300

static const char *const safe_args[] = {
        "-c", "core.fsmonitor=false",    "-c", "core.hooksPath=/dev/null",
        "-c", "core.pager=cat",          "-c", "protocol.allow=never",
        "-c", "submodule.recurse=false", "-c", "gc.auto=0",
        "-c", "core.sshCommand=false",   "-c", "core.askPass=false",
        "-c", "log.showSignature=false", /* of "git show": it runs gpg.program */
};

extern char **environ;

static void clean_environment(const Git *git) {
        for (char **item = environ; *item;) {
                char name[64];
                size_t n = strcspn(*item, "=");

                if (strncmp(*item, "GIT_", 4) != 0 || n >= sizeof(name)) {
                        item++;
                        continue;
                }
                memcpy(name, *item, n);
                name[n] = 0;
                (void) unsetenv(name); /* moves the rest up */
        }
        (void) setenv("GIT_OPTIONAL_LOCKS", "0", 1);
        (void) setenv("GIT_TERMINAL_PROMPT", "0", 1);
        (void) setenv("LC_ALL", "C", 1);
        if (git->index)
                (void) setenv("GIT_INDEX_FILE", git->index, 1);
        if (git->objects)
                (void) setenv("GIT_OBJECT_DIRECTORY", git->objects, 1);
        if (git->alternates)
                (void) setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", git->alternates, 1);
}

static _Noreturn void exec_git(const Git *git, const char *const *args, const int io[2],
                               int errors) {
        const char *argv[GIT_ARGS_MAX + ELEMENTS(safe_args) + GIT_CONFIG_MAX + 4] = { "git", "-C",
                                                                                      git->dir };
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        size_t n = 3;

        for (size_t i = 0; i < ELEMENTS(safe_args); i++)
                argv[n++] = safe_args[i];
        for (size_t i = 0; git->config && i < GIT_CONFIG_MAX && git->config[i]; i++)
                argv[n++] = git->config[i];
        for (size_t i = 0; i < GIT_ARGS_MAX && args[i]; i++)
                argv[n++] = args[i];
        argv[n] = NULL;
        clean_environment(git);
        (void) signal(SIGPIPE, SIG_DFL);
        if (dup2(io[0] < 0 ? null : io[0], 0) < 0 || dup2(io[1] < 0 ? null : io[1], 1) < 0 ||
            dup2(errors, 2) < 0)
                _exit(126);
        (void) execvp("git", (char *const *) (uintptr_t) argv);
        _exit(errno == ENOENT ? 127 : 126);
}

int git_start(const Git *git, const char *const *args, const int io[2], GitProcess *ret,
              Error *err) {
        autoclose int errors = memfd_new("git-errors", false, err);
        pid_t pid;

        if (errors < 0)
                return errors;
        pid = fork();
        if (pid < 0)
                return error_set(err, -errno, "start git");
        if (pid == 0)
                exec_git(git, args, io, errors);
        *ret = (GitProcess){ .pid = pid, .errors = TAKE_FD(errors), .what = args[0] };
        return 0;
}

static int said(GitProcess *process, int status, Error *err) {
        char line[LINE_MAX_SHOWN];
        ssize_t n = pread(process->errors, line, sizeof(line) - 1, 0);

        if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                return error_say(err, -ENOENT, "git is not installed; install the package git.");
        line[n > 0 ? n : 0] = 0;
        line[strcspn(line, "\n")] = 0;
        return error_say(err, -EREMOTEIO, "git %s failed: %s", process->what,
                         line[0] ? line : "it said nothing");
}

int git_finish(GitProcess *process, Error *err) {
        int status = 0, r = 0;

        while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                r = said(process, status, err);
        (void) close(TAKE_FD(process->errors));
        return r;
}

int git_read(const Git *git, const char *const *args, char **ret_text, size_t *ret_n, Error *err) {
        autoclose int from = -EBADF;
        autofree char *text = NULL;
        GitProcess process;
        int ends[2], io[2] = { -1, -1 }, r, read_r;
        size_t n = 0;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        from = ends[0];
        io[1] = ends[1];
        r = git_start(git, args, io, &process, err);
        (void) close(ends[1]);
        if (r < 0)
                return r;
        read_r = fd_read_all(from, GIT_READ_MAX, &text, &n);
        (void) close(TAKE_FD(from));
        r = git_finish(&process, err);
        if (read_r < 0)
                return error_set(err, read_r, "read what git %s prints", args[0]);
        if (r < 0)
                return r;
        *ret_text = TAKE_PTR(text);
        *ret_n = n;
        return 0;
}

int git_to_fd(const Git *git, const char *const *args, int out, Error *err) {
        GitProcess process;
        int r = git_start(git, args, (const int[2]){ -1, out }, &process, err);

        return r < 0 ? r : git_finish(&process, err);
}

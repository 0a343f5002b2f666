/*
 * hook: see hook.h.
 */
#include "cli/hook.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/ids.h"

/* Ids only: what they consist of is checked */
static void set_names(const cJSON *question) {
        const char *task = json_text(question, "task"), *id = json_text(question, "question");

        if (id_is_valid('t', task))
                (void) setenv("WARDER_TASK", task, 1);
        if (id_is_valid('q', id))
                (void) setenv("WARDER_QUESTION", id, 1);
}

static void run_child(const char *command, const cJSON *question, int input) {
        sigset_t none;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);
        set_names(question);
        if (dup2(input, 0) < 0)
                _exit(127);
        (void) execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        _exit(127);
}

static int line_fd(const cJSON *question, Error *err) {
        autofree char *line = json_print(question);
        autoclose int fd = -EBADF;
        int r;

        if (!line)
                return error_set(err, -ENOMEM, "tell a command of a question");
        fd = memfd_sealed("question", line, strlen(line), false, err);
        if (fd < 0)
                return fd;
        r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
        return r < 0 ? error_set(err, r, "tell a command of a question") : TAKE_FD(fd);
}

int hook_run(const char *command, const cJSON *question, Error *err) {
        autoclose int input = line_fd(question, err);
        int status = 0;
        pid_t pid;

        if (input < 0)
                return input;
        pid = fork();
        if (pid == 0)
                run_child(command, question, input);
        if (pid < 0)
                return error_set(err, -errno, "run %.80s", command);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return error_set(err, -errno, "wait for %.80s", command);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

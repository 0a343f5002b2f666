/*
 * ssh-program: see ssh-program.h.
 */
#include "cli/ssh-program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/programs.h"
#include "cli/terminal.h"

#define PROGRAM "warder-ssh"

static int open_program(Error *err) {
        static const char *const folders[] = { "", "/cli/ssh", NULL }; /* installed; built */
        autoclose int dir = program_dir(PROGRAM, folders, err);
        int fd = dir < 0 ? dir : openat(dir, PROGRAM, O_PATH | O_CLOEXEC);

        return fd < 0 && dir >= 0 ? error_set(err, -errno, "open " PROGRAM) : fd;
}

static int become(int program, const char *const *argv, Error *err) {
        (void) fexecve(program, (char *const *) (uintptr_t) argv, environ);
        return error_set(err, -errno, "execute " PROGRAM);
}

int ssh_program_become(const char *const *argv, Error *err) {
        autoclose int program = open_program(err);

        return program < 0 ? program : become(program, argv, err);
}

int ssh_program_run(const char *const *argv, Error *err) {
        autoclose int program = open_program(err);
        int status = 0;
        pid_t pid;

        if (program < 0)
                return program;
        pid = fork();
        if (pid == 0) {
                (void) become(program, argv, err);
                terminal_say("%s", err->text);
                _exit(1);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return error_set(err, -errno, "start " PROGRAM);
        if (WIFSIGNALED(status))
                return error_say(err, -EIO, PROGRAM " was ended by a signal: %s",
                                 strsignal(WTERMSIG(status)));
        return WEXITSTATUS(status);
}

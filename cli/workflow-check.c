/*
 * workflow-check: the question goes by a file in memory, so that neither side waits for the other.
 */
#include "cli/workflow-check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "cli/programs.h"

#define PROGRAM    "warder-agent"
#define ANSWER_MAX (16u << 20)

static int write_question(const cJSON *asked, Error *err) {
        autofree char *text = json_print(asked);
        autoclose int fd = memfd_new("workflow", false, err);
        size_t done = 0, n = text ? strlen(text) : 0;

        if (fd < 0)
                return fd;
        if (!text)
                return error_set(err, -ENOMEM, "ask " PROGRAM);
        while (done < n) {
                ssize_t k = write(fd, text + done, n - done);

                if (k < 0)
                        return error_set(err, -errno, "ask " PROGRAM);
                done += (size_t) k;
        }
        (void) lseek(fd, 0, SEEK_SET);
        return TAKE_FD(fd);
}

static void become(int dir, int in, int out) {
        int program = openat(dir, PROGRAM, O_RDONLY | O_CLOEXEC);

        if (dup2(in, 0) >= 0 && dup2(out, 1) >= 0)
                (void) fexecve(program,
                               (char *[]){ (char[]){ PROGRAM }, (char[]){ "--check" }, NULL },
                               (char *[]){ (char[]){ "LANG=C.UTF-8" }, NULL });
        _exit(errno == ENOENT ? 127 : 126);
}

static int run(int dir, int in, char **ret_text, size_t *ret_n, Error *err) {
        int pair[2], status = 0, r;
        pid_t pid;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return error_set(err, -errno, "start " PROGRAM);
        pid = fork();
        if (pid == 0)
                become(dir, in, pair[1]);
        (void) close(pair[1]);
        r = pid < 0 ? -errno : fd_read_all(pair[0], ANSWER_MAX, ret_text, ret_n);
        (void) close(pair[0]);
        if (pid >= 0 && waitpid(pid, &status, 0) < 0)
                r = -errno;
        if (r < 0)
                return error_set(err, r, "hear " PROGRAM);
        if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
                return error_say(err, -EIO, PROGRAM " could not check it (status %d).", status);
        return 0;
}

int workflow_check(const cJSON *asked, cJSON **ret, Error *err) {
        static const char *const folders[] = { "", "/agent", NULL }; /* installed; built */
        autoclose int dir = program_dir(PROGRAM, folders, err);
        autoclose int in = dir < 0 ? dir : write_question(asked, err);
        autofree char *text = NULL;
        size_t n = 0;
        int r;

        if (in < 0)
                return in;
        r = run(dir, in, &text, &n, err);
        return r < 0 ? r : json_parse(text, n, 0, ret, err);
}

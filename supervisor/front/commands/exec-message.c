/*
 * exec-message: see exec-message.h.
 */
#include "supervisor/front/commands/exec-message.h"

#include <fcntl.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"

#define STACK_BYTES (8u * 1024 * 1024)
#define WORDS_MAX   65536u /* arguments, and variables */

const char *const command_environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/home/user",
        "USER=user",
        "LANG=C.UTF-8",
        NULL,
};

typedef struct Words { /* what goes into the blob, in order */
        const char *cwd;
        const char *const *argv;
        const char *const *env;
        uint32_t argc;
        uint32_t envc;
        size_t n;
} Words;

static size_t count(const char *const *words, uint32_t *ret_n) {
        size_t bytes = 0;

        for (*ret_n = 0; words[*ret_n] && *ret_n <= WORDS_MAX; (*ret_n)++)
                bytes += strlen(words[*ret_n]) + 1;
        return bytes;
}

static int words_init(Words *words, const FrontJail *jail, const CommandSpec *spec, Error *err) {
        bool has_work = plan_has_view(front_jail_plan(jail), VIEW_WORK);

        *words = (Words){ .cwd = spec->cwd  ? spec->cwd
                                 : has_work ? "/work"
                                            : "/",
                          .argv = spec->argv,
                          .env = spec->env ? spec->env : front_jail_environment(jail) };
        words->n = strlen(words->cwd) + 1;
        words->n += count(words->argv, &words->argc);
        words->n += count(words->env, &words->envc);
        if (words->argc == 0)
                return error_say(err, -EINVAL, "a command needs at least its name");
        if (words->n > INIT_BLOB_FD_MAX || words->argc > WORDS_MAX || words->envc > WORDS_MAX)
                return error_say(err, -E2BIG,
                                 "arguments and environment are above %u KiB: pass them in a file",
                                 INIT_BLOB_FD_MAX / 1024);
        return 0;
}

static void words_write(const Words *words, char *to) {
        to = stpcpy(to, words->cwd) + 1;
        for (uint32_t i = 0; i < words->argc; i++)
                to = stpcpy(to, words->argv[i]) + 1;
        for (uint32_t i = 0; i < words->envc; i++)
                to = stpcpy(to, words->env[i]) + 1;
}

static void fill(InitExec *exec, const FrontJail *jail, const CommandSpec *spec,
                 const Words *words) {
        const JailLimits *limits = front_jail_limits(jail);

        *exec = (InitExec){
                .head = { .kind = INIT_EXEC, .blob = (uint32_t) words->n },
                .uid = spec->uid,
                .gid = spec->gid,
                .argc = words->argc,
                .envc = words->envc,
                .umask = 022,
                .keep = spec->output_keep ? spec->output_keep : limits->output_keep,
                .output_max = spec->output_max ? spec->output_max : limits->output_max,
                .nofile = spec->nofile ? spec->nofile : limits->nofile,
                .fsize = spec->fsize ? spec->fsize : limits->fsize,
                .stack = STACK_BYTES,
                .terminal = spec->terminal,
        };
        if (exec->keep > INIT_KEEP_MAX)
                exec->keep = INIT_KEEP_MAX;
        memcpy(exec->stdio, spec->stdio, sizeof exec->stdio);
        if (spec->tty)
                exec->flags |= INIT_EXEC_TTY;
        if (spec->pty)
                exec->flags |= INIT_EXEC_PTY;
        if (spec->copy)
                exec->flags |= INIT_EXEC_COPY;
        if (spec->last)
                exec->flags |= INIT_EXEC_LAST;
}

/* In the order that wire.h gives. */
static void add_fds(ExecMessage *message, const CommandSpec *spec) {
        for (unsigned i = 0; i < 3; i++)
                if (spec->stdio[i] == STDIO_FD)
                        message->fds[message->n_fds++] = spec->fds[i];
        if (spec->binary_fd >= 0) {
                message->exec->flags |= INIT_EXEC_BINARY_FD;
                message->fds[message->n_fds++] = spec->binary_fd;
        }
        if (spec->fd3 >= 0) {
                message->exec->flags |= INIT_EXEC_FD3;
                message->fds[message->n_fds++] = spec->fd3;
        }
        if (message->blob_fd >= 0) {
                message->exec->flags |= INIT_EXEC_BLOB_FD;
                message->fds[message->n_fds++] = message->blob_fd;
        }
}

/* A blob that does not fit into a message travels as a sealed memfd. */
static int detach_blob(ExecMessage *message, size_t n, Error *err) {
        int fd = memfd_sealed("exec", message->exec + 1, n, false, err);

        if (fd < 0)
                return fd;
        message->blob_fd = fd;
        message->n = sizeof(InitExec);
        return 0;
}

int exec_message_init(ExecMessage *message, const FrontJail *jail, const CommandSpec *spec,
                      Error *err) {
        Words words;
        int r;

        r = words_init(&words, jail, spec, err);
        if (r < 0)
                return r;
        message->n = sizeof(InitExec) + words.n;
        message->exec = malloc(message->n);
        if (!message->exec)
                return error_set(err, -ENOMEM, "build the request of a command");
        fill(message->exec, jail, spec, &words);
        words_write(&words, (char *) (message->exec + 1));
        if (words.n > INIT_BLOB_MAX) {
                r = detach_blob(message, words.n, err);
                if (r < 0)
                        return r;
        }
        add_fds(message, spec);
        return 0;
}

int exec_message_keep(ExecMessage *message, Error *err) {
        for (unsigned i = 0; i < message->n_fds; i++) {
                int copy = fcntl(message->fds[i], F_DUPFD_CLOEXEC, 3);

                if (copy < 0) {
                        copy = -errno;
                        fds_close(message->fds, i);
                        message->n_fds = 0;
                        return error_set(err, copy, "keep a descriptor for a command that waits");
                }
                message->fds[i] = copy;
        }
        message->kept = true;
        return 0;
}

void exec_message_sent(ExecMessage *message) {
        if (message->kept)
                fds_close(message->fds, message->n_fds);
        message->n_fds = 0;
}

void exec_message_deinit(ExecMessage *message) {
        exec_message_sent(message);
        if (message->blob_fd >= 0)
                (void) close(message->blob_fd);
        free(message->exec);
        *message = EXEC_MESSAGE_EMPTY;
}

/*
 * command: from INIT_EXEC to INIT_STARTED, or to the reason why it was not started; ended.c has the rest.
 *
 * A parked child's first word is its pid; what comes later on its socket is either a failure or the end of
 * the socket, which is execve(2) closing it. A child that was killed with its slot while it waited has not
 * read its command: the command is kept until it is executed, and goes to another child.
 */
#include "sandbox/init/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "sandbox/init/ended.h"
#include "sandbox/init/ids.h"
#include "sandbox/init/slot.h"

#define TRIES_MAX 3

/* ---- what a child says ---------------------------------------------------------------------------- */

void pending_deinit(Pending *pending) {
        fds_close(pending->own, pending->n_own);
        free(pending->message);
        *pending = (Pending){ .message = NULL };
}

static int pending_send(Init *init, Slot *slot) {
        const Pending *pending = &slot->command.pending;

        slot_park(init, slot);
        if (slot->sock < 0)
                return -EAGAIN;
        return (int) fds_send(slot->sock, pending->message, pending->n, pending->fds,
                              pending->n_fds);
}

/* The child was killed with its slot: another one. Returns: whether one has the command now. */
static bool send_again(Init *init, Slot *slot) {
        while (slot->command.pending.tries++ < TRIES_MAX) {
                int r = pending_send(init, slot);

                if (r >= 0)
                        return true;
                if (slot->sock < 0)
                        return false;
                fds_close(&slot->sock, 1);
                slot->killed = true;
        }
        return false;
}

static void started(Init *init, Command *command) {
        InitEvent event = { .kind = INIT_STARTED, .id = command->id };

        command->state = COMMAND_RUNNING;
        pending_deinit(&command->pending);
        init_send(init, &event, NULL);
}

/* The socket closed: the child executed, died, or was never made. */
static void word_end(Init *init, Slot *slot) {
        fds_close(&slot->sock, 1);
        slot->killed |= slot->pid == 0; /* it did not live to say a word */
        if (slot->command.state != COMMAND_STARTING)
                return;
        if (slot->taken) {
                started(init, &slot->command);
                return;
        }
        /* killed before it read its command, or never made */
        slot->killed = true;
        if (slot->command.code == 0 && send_again(init, slot))
                return;
        slot->command.code = slot->command.code ? slot->command.code : -EAGAIN;
        slot->command.step = INIT_STEP_FORK;
        slot->command.state = COMMAND_FAILED;
        if (slot->pid == 0)
                command_ended(init, slot, 0, NULL);
}

/* Takes one word. Returns: false where none is there. */
static bool take_word(Init *init, Slot *slot) {
        ParkWord word;
        ssize_t n;

        if (slot->sock < 0)
                return false;
        n = recv(slot->sock, &word, sizeof(word), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        /* the other end closed with something unread: what it said itself is still to be read */
        if (n < 0 && errno == ECONNRESET)
                return true;
        if (n != sizeof(word)) {
                word_end(init, slot);
                return false;
        }
        if (word.pid > 0) {
                slot->pid = word.pid;
                return true;
        }
        if (word.code == 0) {
                slot->taken = true;
                return true;
        }
        slot->command.code = word.code;
        slot->command.step = word.step;
        if (slot->command.state == COMMAND_STARTING && slot->pid > 0) {
                slot->command.state = COMMAND_FAILED;
                fds_close(&slot->sock, 1);
        }
        return true;
}

void slot_word(Init *init, Slot *slot) {
        while (take_word(init, slot))
                ;
}

/* ---- the start ------------------------------------------------------------------------------------ */

Slot *command_find(Init *init, uint64_t id) {
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++)
                if (init->slots[i].command.state == COMMAND_RUNNING &&
                    init->slots[i].command.id == id)
                        return &init->slots[i];
        return NULL;
}

static uint64_t promised(const Init *init) {
        uint64_t sum = 0;
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++)
                sum += init->slots[i].command.streams[0].keep +
                       init->slots[i].command.streams[1].keep;
        return sum;
}

static unsigned count_stdio(const InitExec *exec) {
        unsigned n = 0, i;

        for (i = 0; i < 3; i++)
                n += exec->stdio[i] == STDIO_FD;
        return n;
}

/* How many descriptors this request brings, and whether each field is one we know. */
static int check_exec(const Init *init, const InitExec *exec, size_t inline_bytes, unsigned n_fds) {
        const uint32_t known = INIT_EXEC_BINARY_FD | INIT_EXEC_FD3 | INIT_EXEC_BLOB_FD |
                               INIT_EXEC_TTY | INIT_EXEC_COPY | INIT_EXEC_PTY | INIT_EXEC_LAST;
        bool by_fd = exec->flags & INIT_EXEC_BLOB_FD;
        unsigned need = 0, i, captured = 0;

        for (i = 0; i < 3; i++) {
                if (exec->stdio[i] > STDIO_MERGE || (i == 0 && exec->stdio[i] > STDIO_FD) ||
                    (i < 2 && exec->stdio[i] == STDIO_MERGE))
                        return -EINVAL;
                need += exec->stdio[i] == STDIO_FD;
                captured += exec->stdio[i] == STDIO_CAPTURE;
        }
        need += !!(exec->flags & INIT_EXEC_BINARY_FD) + !!(exec->flags & INIT_EXEC_FD3) + by_fd;
        if ((exec->flags & ~known) || need != n_fds)
                return -EINVAL;
        if ((exec->flags & INIT_EXEC_PTY) &&
            (!(exec->flags & INIT_EXEC_TTY) || exec->stdio[0] != STDIO_NULL ||
             exec->stdio[1] != STDIO_CAPTURE || exec->stdio[2] != STDIO_MERGE))
                return -EINVAL;
        if (exec->slot >= JAIL_SLOTS_MAX || init->slots[exec->slot].dir < 0)
                return -ENOENT;
        if (init->slots[exec->slot].command.state != COMMAND_NONE)
                return -EBUSY;
        if (exec->uid >= JAIL_INIT_ID || exec->gid >= JAIL_INIT_ID)
                return -EPERM;
        if (inline_bytes != (by_fd ? 0 : exec->head.blob) || exec->head.blob > INIT_BLOB_FD_MAX ||
            exec->argc == 0 || exec->argc > exec->head.blob || exec->envc > exec->head.blob)
                return -EBADMSG;
        if (captured > 0 && (exec->keep > INIT_KEEP_MAX ||
                             promised(init) + captured * exec->keep > CAPTURE_PROMISE_MAX))
                return -ENOBUFS;
        return 0;
}

/* A pipe for one captured stream, owned by the command, which may open it again by /dev/stdout. */
static int make_pipe(const InitExec *exec, Command *command, unsigned stream) {
        int ends[2], r = as_user(exec->uid, exec->gid);

        if (r < 0)
                return r;
        if (exec->flags & INIT_EXEC_PTY) {
                ends[0] = keys_terminal(&exec->terminal, &ends[1]);
                r = ends[0] < 0 ? ends[0] : 0;
                command->keys.terminal = r == 0;
        } else {
                r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
        }
        as_init();
        if (r == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
                r = -errno;
                fds_close(ends, 2);
        }
        if (r < 0)
                return r;
        capture_start(&command->streams[stream], ends[0], exec->keep);
        return ends[1];
}

/* Puts the child's descriptors in order. @given: the front's; they and the pipes made here are owned. */
static int order_fds(Init *init, const InitExec *exec, Command *command, const int *given) {
        Pending *pending = &command->pending;
        unsigned next = 0, i;

        for (i = 0; i < 3; i++) {
                if (exec->stdio[i] == STDIO_NULL)
                        pending->fds[i] = init->null;
                else if (exec->stdio[i] == STDIO_FD)
                        pending->fds[i] = given[next++];
                else if (exec->stdio[i] == STDIO_MERGE)
                        pending->fds[i] = pending->fds[1];
                else {
                        pending->fds[i] = make_pipe(exec, command, i - 1);
                        if (pending->fds[i] < 0)
                                return pending->fds[i];
                        pending->own[pending->n_own++] = pending->fds[i];
                }
        }
        if (exec->flags & INIT_EXEC_PTY)
                pending->fds[0] = pending->fds[1];
        for (i = 3; i < pending->n_fds; i++)
                pending->fds[i] = given[next++];
        return 0;
}

static int hand_command(Init *init, Slot *slot, ExecMessage *message, size_t n, const int *given) {
        const InitExec *exec = &message->exec;
        Pending *pending = &slot->command.pending;
        int r = order_fds(init, exec, &slot->command, given);

        if (r < 0)
                return r;
        message->exec.flags |= init->flags & PLAN_FILES_CAPS ? EXEC_KEEP_FILES_CAPS : 0;
        pending->message = malloc(n);
        if (!pending->message)
                return -ENOMEM;
        memcpy(pending->message, message, n);
        pending->n = n;
        return send_again(init, slot) ? 0 : -EAGAIN;
}

static void refuse(Init *init, uint64_t id, int code, uint32_t step) {
        InitEvent event = { .kind = INIT_ENDED, .id = id, .code = code, .step = step };

        init_send(init, &event, NULL);
}

void command_start(Init *init, ExecMessage *message, size_t n, int *fds, unsigned n_fds) {
        const InitExec *exec = &message->exec;
        uint64_t now = units_monotonic();
        int r = check_exec(init, exec, n - sizeof(*exec), n_fds);
        Slot *slot;

        if (r < 0) {
                fds_close(fds, n_fds);
                refuse(init, exec->head.id, r, INIT_STEP_REQUEST);
                return;
        }
        slot = &init->slots[exec->slot];
        slot->command =
                (Command){ .id = exec->head.id,
                           .state = COMMAND_STARTING,
                           .start_usec = now,
                           /* looked at again only where it was full: no system call on the path */
                           .disk_before = init->disk_full ? upper_full(init) : 0,
                           .output_max = exec->output_max,
                           .streams = { CAPTURE_EMPTY, CAPTURE_EMPTY },
                           .keys = KEYS_EMPTY,
                           .pending = { .n_own = n_fds, .n_fds = 3 + n_fds - count_stdio(exec) } };
        memcpy(slot->command.pending.own, fds, n_fds * sizeof(*fds));
        slot->used = ++init->clock;
        slot->left = false; /* the front has seen it empty */
        init->last = exec->flags & INIT_EXEC_LAST;
        r = hand_command(init, slot, message, n, fds);
        if (r < 0) {
                slot->command.state = COMMAND_FAILED;
                slot->command.code = r;
                slot->command.step = r == -EAGAIN ? INIT_STEP_FORK : INIT_STEP_STDIO;
                command_ended(init, slot, 0, NULL);
                return;
        }
        if (!init->last)
                slot_want_next(init);
}

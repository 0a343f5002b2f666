/*
 * lane: see lane.h.
 *
 * From the client: libssh keeps what came, and gives the client more room only as it is taken out; so a command
 * that does not read stops its client and nobody else. To the client: a descriptor is read only where the client has
 * room for what it may give, and nothing of an earlier write waits. So nothing is buffered here without a bound.
 */
#include "cli/ssh/lane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fds.h"
#include "cli/ssh/server.h"
#include "cli/ssh/signals.h"

#define TEXT_MAX 2048
#define KEY_EOF  "\004"

Lane *lane_new(Server *server, ssh_channel ssh) {
        Lane *lane = server->n_lanes < LANES_MAX ? calloc(1, sizeof(*lane)) : NULL;

        if (!lane)
                return NULL;
        lane->server = server;
        lane->ssh = ssh;
        for (unsigned i = 0; i < ELEMENTS(lane->fds); i++)
                lane->fds[i] = lane->theirs[i] = -EBADF;
        lane->next = server->lanes;
        server->lanes = lane;
        server->n_lanes++;
        return lane;
}

static void give_back(Lane *lane) {
        if (!lane->ssh)
                return;
        (void) ssh_remove_channel_callbacks(lane->ssh, &lane->callbacks);
        ssh_channel_free(lane->ssh);
        lane->ssh = NULL;
}

Lane *lane_free(Lane *lane) {
        give_back(lane);
        fds_close(lane->fds, ELEMENTS(lane->fds));
        fds_close(lane->theirs, ELEMENTS(lane->theirs));
        (void) json_free(lane->env);
        (void) json_free(lane->argv);
        free(lane->text);
        free(lane);
        return NULL;
}

void lane_fail(Lane *lane, int code, const char *text) {
        lane->state = LANE_ENDED;
        lane->code = code;
        lane->text = strdup(text);
}

/* ---- from the client ------------------------------------------------------------------------------ */

/* A terminal has no end of its input, but a key that says so */
static void end_input(Lane *lane) {
        struct termios settings;

        if (lane->tty) {
                if (lane->fds[0] >= 0 && tcgetattr(lane->fds[0], &settings) == 0 &&
                    (settings.c_lflag & ICANON))
                        (void) !write(lane->fds[0], KEY_EOF, 1);
                return;
        }
        fds_close(lane->fds, 1);
}

static bool has_bytes(const Lane *lane) {
        return lane->start < lane->end;
}

static void take_from_client(Lane *lane) {
        int n;

        if (has_bytes(lane) || !lane->readable || lane->state == LANE_OPEN)
                return;
        n = ssh_channel_read_nonblocking(lane->ssh, lane->bytes, sizeof(lane->bytes), 0);
        if (n > 0) {
                lane->start = 0;
                lane->end = (size_t) n;
                return;
        }
        lane->readable = false;
        if (n == SSH_EOF)
                end_input(lane);
}

static void give_to_command(Lane *lane) {
        ssize_t n;

        if (!has_bytes(lane))
                return;
        n = lane->fds[0] < 0
                    ? -1
                    : write(lane->fds[0], lane->bytes + lane->start, lane->end - lane->start);
        if (n < 0 && lane->fds[0] >= 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n < 0) { /* nobody reads it */
                fds_close(lane->fds, 1);
                lane->start = lane->end = 0;
                return;
        }
        lane->start += (size_t) n;
}

/* ---- to the client -------------------------------------------------------------------------------- */

static size_t room_of(const Lane *lane) {
        uint32_t window = ssh_channel_window_size(lane->ssh);

        return !server_may_write(lane->server) ? 0
               : window < LANE_OUT_BYTES       ? window
                                               : LANE_OUT_BYTES;
}

static bool has_left(const Lane *lane, unsigned i) {
        return lane->outs[i - 1].start < lane->outs[i - 1].end;
}

/* To the client's output (1) or errors (2) */
static void give_to_client(Lane *lane, unsigned i) {
        Out *out = &lane->outs[i - 1];
        uint32_t n = (uint32_t) (out->end - out->start);
        int done = 0;

        if (n > 0 && room_of(lane) > 0)
                done = i == 1 ? ssh_channel_write(lane->ssh, out->bytes + out->start, n)
                              : ssh_channel_write_stderr(lane->ssh, out->bytes + out->start, n);
        if (done > 0)
                out->start += (size_t) done;
}

static void take_from_command(Lane *lane, unsigned i) {
        Out *out = &lane->outs[i - 1];
        size_t room = lane->fds[i] < 0 || has_left(lane, i) ? 0 : room_of(lane);
        ssize_t n = room > 0 ? read(lane->fds[i], out->bytes, room) : 0;

        if (room == 0 || (n < 0 && errno == EINTR))
                return;
        if (n < 0 && errno == EAGAIN && lane->state != LANE_ENDED)
                return;
        if (n <= 0) { /* a command that has ended writes no more, whoever else holds its pipe */
                fds_close(&lane->fds[i], 1);
                return;
        }
        out->start = 0;
        out->end = (size_t) n;
}

static void carry_output(Lane *lane, unsigned i) {
        give_to_client(lane, i);
        take_from_command(lane, i);
        give_to_client(lane, i);
}

static bool has_output(const Lane *lane) {
        return lane->fds[1] >= 0 || lane->fds[2] >= 0 || has_left(lane, 1) || has_left(lane, 2);
}

/* Why it ended, behind all that it wrote. Returns: whether there was something to say */
static bool say_why(Lane *lane) {
        Out *out = &lane->outs[1];
        autofree char *raw = TAKE_PTR(lane->text);
        autofree char *text = raw ? escape_new(raw, TEXT_MAX) : NULL; /* it may quote the jail */
        int n;

        if (!text)
                return false;
        n = snprintf(out->bytes, sizeof(out->bytes), "warder: %s%s", text,
                     lane->tty ? "\r\n" : "\n");
        out->start = 0;
        out->end = n < 0 ? 0 : (size_t) n < sizeof(out->bytes) ? (size_t) n : sizeof(out->bytes);
        give_to_client(lane, 2);
        return true;
}

static void tell_end(Lane *lane) {
        const char *name = signal_name(lane->killed_by);

        if (name)
                (void) ssh_channel_request_send_exit_signal(lane->ssh, name, 0, "", "");
        else
                (void) ssh_channel_request_send_exit_status(lane->ssh, lane->code);
        (void) ssh_channel_send_eof(lane->ssh);
        (void) ssh_channel_close(lane->ssh);
        lane->state = LANE_CLOSED;
}

/* A connection ends in each direction by itself */
static void look_at_connection(Lane *lane) {
        if (!has_output(lane) && !lane->told_eof) {
                lane->told_eof = true;
                (void) ssh_channel_send_eof(lane->ssh);
        }
        if (!has_output(lane) && (lane->fds[0] < 0 || lane->request == 0)) {
                (void) ssh_channel_close(lane->ssh);
                lane->state = LANE_CLOSED;
        }
}

/* ---- all of it ------------------------------------------------------------------------------------ */

void lane_want(const Lane *lane, struct pollfd *ret_polls) {
        bool may = lane->ssh && !lane->gone && room_of(lane) > 0;

        ret_polls[0] =
                (struct pollfd){ .fd = has_bytes(lane) ? lane->fds[0] : -1, .events = POLLOUT };
        for (unsigned i = 1; i < LANE_POLLS; i++)
                ret_polls[i] = (struct pollfd){ .fd = may && !has_left(lane, i) ? lane->fds[i] : -1,
                                                .events = POLLIN };
}

bool lane_is_busy(const Lane *lane) {
        bool can_read = false;

        if (lane->gone || !lane->ssh)
                return false;
        for (unsigned i = 1; i < LANE_POLLS; i++)
                can_read = can_read || (lane->fds[i] >= 0 && !has_left(lane, i));
        return (lane->readable && !has_bytes(lane) && lane->state != LANE_OPEN) ||
               (lane->state == LANE_ENDED &&
                (!has_output(lane) || (can_read && room_of(lane) > 0)));
}

void lane_step(Lane *lane) {
        if (lane->gone) { /* the terminal is hung up, pipes are closed: what the command makes of it is its own */
                give_back(lane);
                fds_close(lane->fds, ELEMENTS(lane->fds));
                return;
        }
        take_from_client(lane);
        give_to_command(lane);
        carry_output(lane, 1);
        carry_output(lane, 2);
        if (lane->is_forward && lane->state == LANE_RUNNING)
                look_at_connection(lane);
        else if (lane->state == LANE_ENDED && !has_output(lane) && !say_why(lane))
                tell_end(lane);
        if (lane->state == LANE_CLOSED) {
                fds_close(lane->fds, ELEMENTS(lane->fds));
                give_back(lane);
        }
}

bool lane_is_over(const Lane *lane) {
        return !lane->ssh && lane->request == 0;
}

/*
 * relay: one direction each, one small buffer, at most one read or write a step, so that the loop that
 * owns it keeps serving signals and the supervisor. Our pipe's end is non-blocking; the caller's
 * descriptor is left as it is, because O_NONBLOCK would be shared with every process that has it open.
 */
#include "cli/relay.h"

#include <errno.h>
#include <unistd.h>

#include "base/fds.h"

void relay_output(Relay *relay, int from, int to) {
        (void) fd_set_nonblock(from, true);
        *relay = (Relay){ .from = from, .to = to, .owns_from = true };
}

void relay_input(Relay *relay, int from, int to) {
        (void) fd_set_nonblock(to, true);
        *relay = (Relay){ .from = from, .to = to, .owns_to = true, .is_input = true };
}

void relay_deinit(Relay *relay) {
        if (relay->owns_from && relay->from >= 0)
                (void) close(relay->from);
        if (relay->owns_to && relay->to >= 0)
                (void) close(relay->to);
        relay->from = -EBADF;
        relay->to = -EBADF;
        relay->start = relay->end = 0;
}

bool relay_has_bytes(const Relay *relay) {
        return relay->start < relay->end;
}

void relay_want(const Relay *relay, struct pollfd *ret_poll) {
        bool writes = relay_has_bytes(relay);

        *ret_poll = (struct pollfd){ .fd = relay->from < 0 ? -1
                                           : writes        ? relay->to
                                                           : relay->from,
                                     .events = writes ? POLLOUT : POLLIN };
}

static void step_write(Relay *relay) {
        ssize_t n = write(relay->to, relay->bytes + relay->start, relay->end - relay->start);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) { /* the reader has gone: pass that on by closing our end */
                relay_deinit(relay);
                return;
        }
        relay->start += (size_t) n;
}

void relay_step(Relay *relay) {
        ssize_t n;

        if (relay->from < 0)
                return;
        if (relay_has_bytes(relay)) {
                step_write(relay);
                return;
        }
        n = read(relay->from, relay->bytes, sizeof(relay->bytes));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                relay_deinit(relay);
                return;
        }
        relay->start = 0;
        relay->end = (size_t) n;
}

/*
 * carry: see carry.h.
 */
#include "cli/ssh/carry.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/owned.h"

bool carry_has_bytes(const Carry *carry) {
        return carry->start < carry->end;
}

struct pollfd carry_want(const Carry *carry) {
        if (carry->from < 0)
                return (struct pollfd){ .fd = -1 };
        if (carry_has_bytes(carry))
                return (struct pollfd){ .fd = carry->to, .events = POLLOUT };
        return (struct pollfd){ .fd = carry->from, .events = POLLIN };
}

static void carry_end(Carry *carry) {
        if (carry->to_is_socket)
                (void) shutdown(carry->to, SHUT_WR);
        carry->from = -EBADF;
        carry->start = carry->end = 0;
}

static bool is_later(ssize_t n) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void carry_step(Carry *carry) {
        ssize_t n;

        if (carry->from < 0)
                return;
        if (!carry_has_bytes(carry)) {
                n = read(carry->from, carry->bytes, sizeof(carry->bytes));
                if (is_later(n))
                        return;
                if (n <= 0) {
                        carry_end(carry);
                        return;
                }
                carry->start = 0;
                carry->end = (size_t) n;
        }
        n = write(carry->to, carry->bytes + carry->start, carry->end - carry->start);
        if (n > 0)
                carry->start += (size_t) n;
        else if (!is_later(n))
                carry_end(carry);
}

/*
 * connect: see connect.h.
 *
 * Each direction ends by itself: the end of stdin is shut down towards the server, the server's end closes stdout. All
 * ends when both have, when nobody reads stdout any more, or when the connection breaks. What the server said before
 * it broke still arrives.
 *
 * A server that closed the connection whole looks like one that only said its last word, until something is sent to it:
 * so the kernel asks now and then, and after a minute (tcp_fin_timeout) hears that nobody is there.
 */
#include "sandbox/init/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"

#define WAY_BYTES 65536
#define ASK_SEC   20

typedef struct Way {
        int from; /* -EBADF: ended */
        int to;
        size_t start, end;
        char bytes[WAY_BYTES];
} Way;

static int connect_to(const struct sockaddr *address, socklen_t n) {
        autoclose int sock = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (sock < 0 || connect(sock, address, n) < 0)
                return -errno;
        return TAKE_FD(sock);
}

static int open_connection(uint16_t port) {
        const struct sockaddr_in old = { .sin_family = AF_INET,
                                         .sin_port = htons(port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const struct sockaddr_in6 new = { .sin6_family = AF_INET6,
                                          .sin6_port = htons(port),
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        int sock = connect_to((const struct sockaddr *) &old, sizeof(old));

        if (sock != -ECONNREFUSED)
                return sock;
        sock = connect_to((const struct sockaddr *) &new, sizeof(new));
        return sock < 0 ? -ECONNREFUSED : sock;
}

static void ask_now_and_then(int sock) {
        const int on = 1, sec = ASK_SEC;

        (void) setsockopt(sock, IPPROTO_TCP, TCP_KEEPIDLE, &sec, sizeof(sec));
        (void) setsockopt(sock, IPPROTO_TCP, TCP_KEEPINTVL, &sec, sizeof(sec));
        (void) setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void tell(int error) {
        const unsigned char word = (unsigned char) error;

        (void) !write(STDERR_FILENO, &word, sizeof(word));
        (void) close(STDERR_FILENO);
}

static bool is_later(ssize_t n) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Nobody takes what comes this way: who sends it hears that. Returns: whether the other way goes on */
static bool refuse_way(Way *way, int sock) {
        if (way->to != sock)
                return false;
        (void) close(way->from);
        way->from = -EBADF;
        return true;
}

static void end_way(Way *way, int sock) {
        if (way->to == sock)
                (void) shutdown(sock, SHUT_WR);
        else
                (void) close(way->to);
        way->from = -EBADF;
}

/* As much as goes at once. Returns: whether the connection is still good for something */
static bool carry(Way *way, int sock) {
        ssize_t n;

        if (way->from < 0)
                return true;
        if (way->start == way->end) {
                n = read(way->from, way->bytes, sizeof(way->bytes));
                if (is_later(n))
                        return true;
                if (n <= 0) {
                        end_way(way, sock);
                        return n == 0;
                }
                way->start = 0;
                way->end = (size_t) n;
        }
        n = write(way->to, way->bytes + way->start, way->end - way->start);
        if (n < 0 && !is_later(n))
                return refuse_way(way, sock);
        way->start += n > 0 ? (size_t) n : 0;
        return true;
}

/* What this direction waits for; an end that nobody reads says so without being asked */
static void want(const Way *way, struct pollfd polls[2]) {
        bool writes = way->start < way->end;

        polls[0] =
                (struct pollfd){ .fd = way->from < 0 || writes ? -1 : way->from, .events = POLLIN };
        polls[1] = (struct pollfd){ .fd = way->from < 0 ? -1 : way->to,
                                    .events = writes ? POLLOUT : 0 };
}

static void carry_both(Way ways[2], int sock) {
        bool good = true;

        while (good && (ways[0].from >= 0 || ways[1].from >= 0)) {
                struct pollfd polls[4];

                want(&ways[0], polls);
                want(&ways[1], polls + 2);
                if (ways[1].from >= 0 && !polls[1].events) /* what it would say, reading says */
                        polls[1].fd = -1;
                if (poll(polls, ELEMENTS(polls), -1) < 0 && errno != EINTR)
                        return;
                if (ways[1].from < 0 && (polls[1].revents & (POLLERR | POLLHUP)))
                        return;
                good = !(polls[3].revents & POLLERR) && carry(&ways[0], sock) &&
                       carry(&ways[1], sock);
        }
}

int connect_run(const char *port) {
        static Way ways[2];
        uint64_t number = 0;
        int sock;

        (void) prctl(PR_SET_NAME, "warder-connect");
        (void) close_range(3, ~0u, 0);
        (void) signal(SIGPIPE, SIG_IGN);
        if (units_parse_number(port, &number, NULL) < 0 || number == 0 || number > UINT16_MAX)
                return 2;
        sock = open_connection((uint16_t) number);
        tell(sock < 0 ? -sock : 0);
        if (sock < 0)
                return 1;
        ask_now_and_then(sock);
        (void) fd_set_nonblock(STDIN_FILENO, true);
        (void) fd_set_nonblock(STDOUT_FILENO, true);
        (void) fd_set_nonblock(sock, true);
        ways[0] = (Way){ .from = STDIN_FILENO, .to = sock };
        ways[1] = (Way){ .from = sock, .to = STDOUT_FILENO };
        carry_both(ways, sock);
        return 0;
}

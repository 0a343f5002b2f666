/*
 * uncounted: see uncounted.h.
 *
 * The kernel charges a TCP connection to the group of the process that accepts it, when it does. Until then
 * what the peer sent lies in the receive queue of a socket without an owner, which sock_diag(7) lists with
 * inode 0 and with what its queue really takes. (An owner's socket that was closed has no inode either, but
 * then its queue is empty, and it was charged when it was made.)
 *
 * Where the peer resets such a connection, its socket is on no list any more, and keeps its bytes until it
 * is accepted or the listener is closed. That such ones exist is told by the listener, which counts all that
 * wait for accept(2); how much they hold, by nothing. So they are taken for as large as any program can make a
 * receive queue (SO_RCVBUF, of the listener before they came).
 *
 * Only the kernel's own messages are read here. What a command may have done to its sockets changes numbers
 * in them, not their form.
 */
#include "sandbox/init/uncounted.h"

#include <errno.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/owned.h"

#define ANSWER_MAX   32768
#define SOCKET_BYTES 4096 /* the socket itself, with its request: 3.9 KiB measured on Linux 6.18 */

typedef struct Count {
        uint64_t bytes;   /* of unaccepted connections that are listed */
        uint64_t listed;  /* how many these are */
        uint64_t waiting; /* for accept(2), as their listeners say */
} Count;

static int ask(int sock, uint8_t family) {
        struct {
                struct nlmsghdr head;
                struct inet_diag_req_v2 what;
        } request = { .head = { .nlmsg_len = sizeof(request),
                                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                      .what = { .sdiag_family = family,
                                .sdiag_protocol = IPPROTO_TCP,
                                .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
                                .idiag_states = 1 << TCP_ESTABLISHED | 1 << TCP_CLOSE_WAIT |
                                                1 << TCP_LISTEN } };

        return send(sock, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* Bytes in its receive queue, with all that the kernel needs around them. */
static uint64_t queue_bytes(const struct nlmsghdr *head, const struct inet_diag_msg *msg) {
        const struct rtattr *at = (const struct rtattr *) (msg + 1);
        int left = (int) NLMSG_PAYLOAD(head, sizeof(*msg));

        for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
                if (at->rta_type == INET_DIAG_SKMEMINFO && RTA_PAYLOAD(at) >= sizeof(uint32_t))
                        return ((const uint32_t *) RTA_DATA(at))[SK_MEMINFO_RMEM_ALLOC];
        return msg->idiag_rqueue; /* payload alone */
}

static void add(Count *count, const struct nlmsghdr *head) {
        const struct inet_diag_msg *msg = NLMSG_DATA(head);

        if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
                return;
        if (msg->idiag_state == TCP_LISTEN) {
                count->waiting += msg->idiag_rqueue;
        } else if (msg->idiag_inode == 0) {
                count->bytes += queue_bytes(head, msg) + SOCKET_BYTES;
                count->listed++;
        }
}

/* Returns: 1 there is more, 0 that was all, or negative errno. */
static int take(int sock, Count *count) {
        static _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
        const struct nlmsghdr *head = (const struct nlmsghdr *) answer;
        ssize_t got = recv(sock, answer, sizeof(answer), 0);
        unsigned n = got > 0 ? (unsigned) got : 0;

        if (got <= 0)
                return got < 0 ? -errno : -EPIPE;
        for (; NLMSG_OK(head, n); head = NLMSG_NEXT(head, n)) {
                if (head->nlmsg_type == NLMSG_DONE)
                        return 0;
                if (head->nlmsg_type == NLMSG_ERROR)
                        return ((const struct nlmsgerr *) NLMSG_DATA(head))->error ?: -EPROTO;
                if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY)
                        add(count, head);
        }
        return 1;
}

static int count_family(int sock, uint8_t family, Count *count) {
        int r = ask(sock, family);

        if (r < 0)
                return r;
        do
                r = take(sock, count);
        while (r > 0 || r == -EINTR);
        return r;
}

/* What the kernel makes of a wish without bounds: net.core.rmem_max, doubled. */
static uint64_t queue_max(void) {
        autoclose int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int most = INT_MAX;
        socklen_t n = sizeof(most);

        if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &most, n) < 0 ||
            getsockopt(sock, SOL_SOCKET, SO_RCVBUF, &most, &n) < 0 || most < 0)
                return INT_MAX;
        return (uint64_t) most;
}

int uncounted_bytes(uint64_t *ret_seen, uint64_t *ret_hidden) {
        autoclose int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        static const uint8_t families[] = { AF_INET, AF_INET6 };
        Count count = { 0 };
        int r = sock < 0 ? -errno : 0;

        for (unsigned i = 0; i < ELEMENTS(families) && r == 0; i++)
                r = count_family(sock, families[i], &count);
        if (r < 0)
                return r;
        *ret_seen = count.bytes;
        *ret_hidden =
                count.waiting > count.listed ? (count.waiting - count.listed) * queue_max() : 0;
        return 0;
}

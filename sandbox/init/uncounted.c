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
 * What is charged may be far from what is held, too. A sender's bytes are copied to pieces of 32 KiB, one
 * after the other, and a socket is charged for the bytes, while the whole piece stays as long as one of them
 * does: one byte of each is 32 KiB for some fifty bytes (measured: 281 MiB by a jail with a peak of 5 MiB). What
 * can be told is how much there is at most: a buffer refers to 17 pieces (MAX_SKB_FRAGS), costs more than
 * BUFFER_BYTES itself, and what a queue is charged for beyond its payload is such cost. It is far more
 * than most hold, and so it counts only where memory is missing that nothing else explains (the front's
 * uncounted.c).
 *
 * What a UDP socket holds back (MSG_MORE, 64 KiB) and its queue of errors (as long as its receive queue may be)
 * are charged to nobody at all, but stand in its diagnosis. Not where it gave its port back after it was filled
 * (connect(2) to no address): then it is on no list. That there are such ones is told by the number of all sockets,
 * of which those on the protocols' lists are known.
 *
 * Only the kernel's own messages and texts are read here. What a command may have done to its sockets changes
 * numbers in them, not their form.
 */
#include "sandbox/init/uncounted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/owned.h"
#include "supervisor/wire.h"

#define ANSWER_MAX   32768
#define PIECE_BYTES  32768u /* SKB_FRAG_PAGE_ORDER */
#define BUFFER_REFS  17u
#define BUFFER_BYTES 640u   /* struct sk_buff and skb_shared_info, the least a buffer costs */
#define CORK_BYTES   65536u /* most that a UDP socket holds back */
#define TEXT_MAX     16384  /* of /proc/net/protocols: some twenty lines of 130 bytes */
#define SOCKET_BYTES 4096 /* the socket itself, with its request: 3.9 KiB measured on Linux 6.18 */

typedef struct Count {
        uint64_t bytes;   /* of unaccepted connections that are listed */
        uint64_t listed;  /* how many these are */
        uint64_t waiting; /* for accept(2), as their listeners say */
        uint64_t counted; /* of all other connections */
        uint64_t pinned;  /* by all queues, at most */
} Count;

static int ask(int sock, uint8_t family, uint8_t protocol) {
        struct {
                struct nlmsghdr head;
                struct inet_diag_req_v2 what;
        } request = { .head = { .nlmsg_len = sizeof(request),
                                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                      .what = { .sdiag_family = family,
                                .sdiag_protocol = protocol,
                                .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
                                .idiag_states = ~(1u << TCP_TIME_WAIT | 1u << TCP_SYN_RECV) } };

        return send(sock, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* What its queues are charged for, with all that the kernel needs around the payload; NULL: not told */
static const uint32_t *memory_of(const struct nlmsghdr *head, const struct inet_diag_msg *msg) {
        const struct rtattr *at = (const struct rtattr *) (msg + 1);
        int left = (int) NLMSG_PAYLOAD(head, sizeof(*msg));

        for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
                if (at->rta_type == INET_DIAG_SKMEMINFO &&
                    RTA_PAYLOAD(at) > SK_MEMINFO_WMEM_QUEUED * sizeof(uint32_t))
                        return RTA_DATA(at);
        return NULL;
}

static uint64_t pinned_bytes(uint64_t charged, uint64_t payload) {
        uint64_t cost = charged > payload ? charged - payload : 0;

        return cost * BUFFER_REFS / BUFFER_BYTES * PIECE_BYTES;
}

static void add_tcp(Count *count, const struct inet_diag_msg *msg, const uint32_t *memory) {
        if (msg->idiag_state == TCP_LISTEN) {
                count->waiting += msg->idiag_rqueue;
                return;
        }
        if (msg->idiag_inode == 0 &&
            (msg->idiag_state == TCP_ESTABLISHED || msg->idiag_state == TCP_CLOSE_WAIT)) {
                count->bytes += memory[SK_MEMINFO_RMEM_ALLOC] + SOCKET_BYTES;
                count->listed++;
        } else {
                count->counted += memory[SK_MEMINFO_RMEM_ALLOC] + memory[SK_MEMINFO_WMEM_QUEUED] +
                                  memory[SK_MEMINFO_FWD_ALLOC];
        }
        count->pinned += pinned_bytes(memory[SK_MEMINFO_RMEM_ALLOC], msg->idiag_rqueue) +
                         pinned_bytes(memory[SK_MEMINFO_WMEM_QUEUED], msg->idiag_wqueue);
}

/* Its diagnosis knows no payload: all that it is charged for may be cost. */
static void add_udp(Count *count, const struct inet_diag_msg *msg, const uint32_t *memory) {
        (void) msg;
        count->pinned += pinned_bytes(memory[SK_MEMINFO_RMEM_ALLOC], 0) +
                         pinned_bytes(memory[SK_MEMINFO_WMEM_ALLOC], 0);
}

typedef void (*AddFn)(Count *count, const struct inet_diag_msg *msg, const uint32_t *memory);

static void add(Count *count, const struct nlmsghdr *head, AddFn add_one) {
        const struct inet_diag_msg *msg = NLMSG_DATA(head);
        const uint32_t *memory;

        if (head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)))
                return;
        memory = memory_of(head, msg);
        if (memory)
                add_one(count, msg, memory);
}

/* Returns: 1 there is more, 0 that was all, or negative errno. */
static int take(int sock, AddFn add_one, Count *count) {
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
                        add(count, head, add_one);
        }
        return 1;
}

static const struct {
        uint8_t family;
        uint8_t protocol;
        bool optional; /* its diagnosis may be missing: a module of its own */
        AddFn add;
} kinds[] = {
        { AF_INET, IPPROTO_TCP, false, add_tcp },
        { AF_INET6, IPPROTO_TCP, false, add_tcp },
        { AF_INET, IPPROTO_UDP, true, add_udp },
        { AF_INET6, IPPROTO_UDP, true, add_udp },
};

static int count_kind(int sock, unsigned kind, Count *count) {
        int r = ask(sock, kinds[kind].family, kinds[kind].protocol);

        if (r < 0)
                return r;
        do
                r = take(sock, kinds[kind].add, count);
        while (r > 0 || r == -EINTR);
        return r == -ENOENT && kinds[kind].optional ? 0 : r;
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

static bool read_text(const char *path, char *text) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t got = 1, n = 0;

        while (fd >= 0 && got > 0 && n < TEXT_MAX - 1) {
                got = read(fd, text + n, (size_t) (TEXT_MAX - 1 - n));
                n += got > 0 ? got : 0;
        }
        text[n] = 0;
        return n > 0;
}

/* The third word of each line but the first: how many sockets are on the protocol's lists. */
static uint64_t on_lists(const char *text) {
        uint64_t n = 0;

        while ((text = strchr(text, '\n')) && *++text) {
                const char *at = text + strcspn(text, " \n");
                char *end;
                long sockets;

                (void) strtol(at, &end, 10);
                sockets = strtol(end, NULL, 10);
                n += sockets > 0 ? (uint64_t) sockets : 0;
        }
        return n;
}

/* Sockets of this network namespace that no protocol lists. */
static uint64_t unlisted(void) {
        static const char used_key[] = "sockets: used ";
        static char text[TEXT_MAX];
        const char *at;
        uint64_t used, listed;

        if (!read_text("/proc/self/net/sockstat", text) || !(at = strstr(text, used_key)))
                return 0;
        used = strtoull(at + strlen(used_key), NULL, 10);
        if (!read_text("/proc/self/net/protocols", text))
                return 0;
        listed = on_lists(text);
        return used > listed ? used - listed : 0;
}

int uncounted_read(Uncounted *ret) {
        autoclose int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        Count count = { 0 };
        uint64_t hidden;
        int r = sock < 0 ? -errno : 0;

        for (unsigned i = 0; i < ELEMENTS(kinds) && r == 0; i++)
                r = count_kind(sock, i, &count);
        if (r < 0)
                return r;
        hidden = count.waiting > count.listed ? (count.waiting - count.listed) * queue_max() : 0;
        *ret = (Uncounted){ .seen = count.bytes,
                            .hidden = hidden,
                            .counted = count.counted,
                            .pinned = count.pinned + pinned_bytes(hidden, 0) +
                                      unlisted() * (queue_max() + CORK_BYTES) };
        return 0;
}

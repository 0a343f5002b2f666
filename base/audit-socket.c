/*
 * audit-socket: see audit-socket.h.
 *
 * The group carries all that the kernel audits on this host. What reaches the front is chosen here, by four
 * instructions over the message's type that are locked to the socket; the text is the front's to read. The
 * queue is the socket's own memory: who floods it loses records of his own time, and nobody waits for us.
 */
#include "base/audit-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/fds.h"
#include "base/owned.h"

#define QUEUE_BYTES (1 << 20) /* some hundred records */
#define EMPTY_MAX   10000

static int choose(int fd) {
        /* a classic program reads in network order what netlink has in the host's */
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(AUDIT_SECCOMP), 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        const struct sock_fprog program = { ELEMENTS(code), code };
        const int yes = 1;

        if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof yes) < 0)
                return -errno;
        return 0;
}

int audit_socket_open(Error *err) {
        const struct sockaddr_nl address = { .nl_family = AF_NETLINK,
                                             .nl_groups = 1u << (AUDIT_NLGRP_READLOG - 1) };
        const int bytes = QUEUE_BYTES;
        autoclose int fd =
                socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
        int r;

        if (fd < 0)
                return error_set(err, -errno, "open the kernel's audit socket");
        r = choose(fd); /* before it joins: not one record of another type gets in */
        if (r < 0)
                return error_set(err, r, "choose the kernel's seccomp records");
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
        if (bind(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return error_set(err, -errno, "listen to the kernel's audit");
        return TAKE_FD(fd);
}

/* systemd keeps its socket when we are started again: then the lock on it is that of our former self. */
static bool is_chosen(int fd) {
        int locked = 0;
        socklen_t n = sizeof locked;

        return getsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &locked, &n) == 0 && locked;
}

/* What came before the choice is thrown away unread; a flood of it is the front's, which knows it by its type. */
static void empty(int fd) {
        char byte;

        for (unsigned i = 0; i < EMPTY_MAX; i++)
                if (recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno != ENOBUFS)
                        return;
}

int audit_socket_choose(int fd, Error *err) {
        int r = is_chosen(fd) ? 0 : choose(fd);

        if (r == 0)
                r = fd_set_nonblock(fd, true);
        if (r < 0)
                return error_set(err, r, "choose the kernel's seccomp records");
        empty(fd);
        return 0;
}

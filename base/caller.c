/*
 * caller: see caller.h.
 */
#include "base/caller.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/owned.h"

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0) /* Linux >= 4.10; needs CAP_NET_ADMIN */
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux >= 6.5 */
#endif

/* The file that a Unix socket's name leads to, whoever can see that name: its device and inode. */
static int bound_file(int sock, struct stat *ret) {
        autoclose int file = ioctl(sock, SIOCUNIXFILE, 0);

        return file < 0 || fstat(file, ret) < 0 ? -errno : 0;
}

/*
 * Whose connection is it? The kernel's answer counts only for a socket that was accepted on our own listener.
 * The listener itself also has "credentials of its peer": those of who listens, root's. So has a client's end
 * of some root daemon's socket, which its owner can give a name of our listener's letters in a mount
 * namespace of his own. An accepted socket has a peer and shares the listener's very file.
 */
int caller_read(int conn, int listener, struct ucred *ret, Error *err) {
        socklen_t n = sizeof *ret, n_flag = sizeof(int), n_peer = sizeof(struct sockaddr_un);
        struct stat ours, theirs;
        struct sockaddr_un peer = { .sun_family = AF_UNSPEC };
        int listens = 1;

        if (getsockopt(conn, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n_flag) < 0 || listens ||
            getpeername(conn, (struct sockaddr *) &peer, &n_peer) < 0 ||
            peer.sun_family != AF_UNIX || bound_file(listener, &ours) < 0 ||
            bound_file(conn, &theirs) < 0 || ours.st_dev != theirs.st_dev ||
            ours.st_ino != theirs.st_ino || getsockopt(conn, SOL_SOCKET, SO_PEERCRED, ret, &n) < 0)
                return error_say(err, -EPERM,
                                 "a caller's directory needs the connection that the "
                                 "caller made to this supervisor's socket");
        return 0;
}

/*
 * The caller's process, whose mount namespace has its directory where ours (that of a unit with ProtectSystem
 * and its kin) has not. A pid can have been given to another process since; that one's namespace then is
 * looked into instead, where the kernel finds the directory's mount or refuses: nothing is looked up by name.
 */
int caller_process(int conn, pid_t pid) {
        socklen_t n = sizeof(int);
        int fd;

        if (getsockopt(conn, SOL_SOCKET, SO_PEERPIDFD, &fd, &n) == 0)
                return fd;
        return (int) syscall(SYS_pidfd_open, pid, 0);
}

/*
 * connect: finding a supervisor. The order is the one that a person expects: what was named, what runs,
 * and only then what must be started.
 */
#include "cli/connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/private.h"

#define SERVICE_SOCKET RUNDIR "/warder.sock"

int connect_socket(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        autoclose int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int connect_named(const char *path, RpcPeer **ret_peer, Error *err) {
        int fd = connect_socket(path);

        if (fd == -EACCES)
                return error_say(err, fd,
                                 "You may not use the supervisor at %s. Ask to be put into the "
                                 "group 'warder', or use sudo.",
                                 path);
        if (fd < 0)
                return error_add(err, error_set(err, fd, "connect to %s", path),
                                 "No supervisor answers");
        return rpc_peer_new_consume(fd, ret_peer);
}

static bool is_set(const char *text) {
        return text && *text;
}

int connect_supervisor(const char *socket, RpcPeer **ret_peer, Error *err) {
        const char *instance = getenv("WARDER_INSTANCE");
        const char *named = is_set(socket) ? socket : getenv("WARDER_SOCKET");
        int fd;

        if (is_set(named))
                return connect_named(named, ret_peer, err);
        if (!is_set(instance)) {
                fd = connect_socket(SERVICE_SOCKET);
                if (fd >= 0)
                        return rpc_peer_new_consume(fd, ret_peer);
                if (fd == -EACCES)
                        return connect_named(SERVICE_SOCKET, ret_peer, err);
        }
        if (geteuid() != 0)
                return error_say(err, -EPERM,
                                 "No supervisor runs on this host (%s does not answer). Start it "
                                 "with 'systemctl start warder.socket', or use sudo, which starts "
                                 "a private one for this call.",
                                 SERVICE_SOCKET);
        return private_connect(is_set(instance) ? instance : "private", ret_peer, err);
}

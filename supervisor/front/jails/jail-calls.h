#pragma once
/*
 * jail-calls: what the front asks of a jail besides commands: a file opened from inside, a listener
 * in its network.
 */
#include "supervisor/front/front.h"

/** JailOpenFn - once; @fd is owned by the receiver; -EBADF with @err where it failed */
typedef void (*JailOpenFn)(int fd, uint64_t size, const Error *err, void *userdata);
typedef struct OpenSpec {
        const char *path;
        uint32_t flags; /* InitOpenFlags */
        uint32_t mode;
        uint32_t uid, gid;
} OpenSpec;
/** front_jail_open() - INIT_OPEN; @done gets the descriptor (owned by it) or the reason */
int front_jail_open(FrontJail *jail, const OpenSpec *spec, JailOpenFn done, void *userdata,
                    Error *err);

/** JailListenFn - once; @fd is owned by the receiver; -EBADF with @err where it failed */
typedef void (*JailListenFn)(int fd, uint32_t port, const Error *err, void *userdata);
/** front_jail_listen() - INIT_LISTEN; @done gets the listener and its port */
int front_jail_listen(FrontJail *jail, uint32_t port, JailListenFn done, void *userdata,
                      Error *err);

#pragma once
/*
 * client-fds: which descriptors a client may hand in. What the kernel makes of a descriptor depends on
 * what is behind it: a socket, a device or a file of /proc in a jail would be a way out of it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef enum ClientFdUse {
        CLIENT_FD_STDIO,     /* a pipe, a regular file on disk or tmpfs, a pty slave */
        CLIENT_FD_TERMINAL,  /* a pty slave */
        CLIENT_FD_INPUT,     /* a pipe or such a regular file */
        CLIENT_FD_DIRECTORY, /* a directory; the monitor checks whose */
} ClientFdUse;

typedef struct ClientFdPipes { /* the device of the file system that all pipes lie on */
        uint32_t major;
        uint32_t minor;
} ClientFdPipes;

/**
 * client_fd_never_waits() - may the loop hold, look at and close it?
 *
 * Not where what a close(2) does belongs to someone else: a file that a program or a network serves, a socket
 * that lingers, a device. All that a client may hand in is of the other kind.
 */
bool client_fd_never_waits(int fd);

/** client_fd_is_directory() - without asking whoever serves it */
bool client_fd_is_directory(int fd);

/** client_fd_learn_pipes() - ask the kernel once where its pipes lie, for client_fd_check(). Returns: 0 or negative errno */
int client_fd_learn_pipes(ClientFdPipes *ret, Error *err);

/** client_fd_check() - Returns: 0 or -EINVAL with what it is and what to do; -EBADF where there is none */
int client_fd_check(const ClientFdPipes *pipes, int fd, ClientFdUse use, Error *err);

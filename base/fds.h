#pragma once
/*
 * fds: passing descriptors between processes, sealed memfds, and whole reads and writes. Every
 * descriptor made here is O_CLOEXEC.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define FDS_MAX  32 /* most descriptors in one message, below the kernel's SCM_MAX_FD of 253 */
#define FDS_ROOM 48 /* most that one receive can bring, those too many included */

/**
 * fds_send() - one sendmsg(2) with descriptors (MSG_NOSIGNAL)
 * @sock: socket, borrowed
 * @fds:  borrowed, @n_fds <= FDS_MAX of them
 *
 * Returns: bytes sent, or negative errno (-EAGAIN on a full non-blocking socket).
 */
ssize_t fds_send(int sock, const void *bytes, size_t n, const int *fds, unsigned n_fds);

/**
 * fds_recv() - one recvmsg(2) with descriptors (MSG_CMSG_CLOEXEC)
 * @ret_fds:   room for FDS_MAX, owned by the caller afterwards
 * @ret_n_fds: how many came
 *
 * Returns: bytes received, 0 at the end, -EBADMSG if data or descriptors were truncated (those that
 *          came are closed), else negative errno.
 */
ssize_t fds_recv(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds);

/**
 * fds_recv_all() - the same for who must look at each descriptor before anything is done with it
 * @ret_fds: room for FDS_ROOM, owned by the caller afterwards, at -EBADMSG too
 */
ssize_t fds_recv_all(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds);

/**
 * fds_pack() - bring those that are there (not negative) of @n <= 32 descriptors to the front, in their order
 * Returns: BIT(i) of each by its old place.
 */
uint32_t fds_pack(int *fds, unsigned n);

/** fds_recv_from() - fds_recv_all(), and the pid of who sent it, in our numbers; 0: no SO_PASSCRED, or none seen by us */
ssize_t fds_recv_from(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds,
                      int32_t *ret_pid);

/** fds_close_others() - close all from 3 on but the @n of @keep, of which some may be negative. Returns: 0 or negative errno */
int fds_close_others(const int *keep, unsigned n);

/** fds_close() - close @n descriptors and set each to -EBADF */
void fds_close(int *fds, unsigned n);

/**
 * memfd_new() - an empty memfd that can be sealed
 * @executable: MFD_EXEC where the kernel knows it, else what is in it can never be executed
 *
 * Returns: descriptor owned by the caller, or negative errno (-EACCES: vm.memfd_noexec=2 forbids it).
 */
int memfd_new(const char *name, bool executable, Error *err);

/**
 * memfd_add_seals() - no change of content or size of @fd, a memfd, any more
 *
 * Where the kernel itself has a page in its hands in that moment (to move it, or to see whether it is used), it
 * waits a little and then says EBUSY; so it is asked some times.
 *
 * Returns: 0 or negative errno (-EBUSY: somebody maps it for writing).
 * Source:  memfd_wait_for_pins() of Linux 6.1 to 6.18.
 */
int memfd_add_seals(int fd);

/**
 * memfd_sealed() - a memfd with these bytes, sealed against every change, offset 0
 * @executable: MFD_EXEC where the kernel knows it
 *
 * Returns: descriptor owned by the caller, or negative errno (-EACCES: vm.memfd_noexec=2 forbids it).
 */
int memfd_sealed(const char *name, const void *bytes, size_t n, bool executable, Error *err);

/** memfd_sealed_from() - the same with the whole content of @fd (from offset 0, at most @max bytes) */
int memfd_sealed_from(const char *name, int fd, size_t max, bool executable, Error *err);

/**
 * fds_fill_standard() - what is closed of stdin, stdout and stderr becomes /dev/null; the first thing that a program does
 *
 * Else what is opened next stands there: a connection in the place of stdout, into which goes what was meant for people.
 * What was closed for writing fails to be written, as before.
 *
 * Returns: 0 or negative errno.
 */
int fds_fill_standard(void);

/** fd_write_all() - write everything, retrying EINTR and short writes. Returns: 0 or negative errno */
int fd_write_all(int fd, const void *bytes, size_t n);

/**
 * fd_read_all() - read @fd to its end into fresh memory, terminated by a 0 that is not counted
 *
 * Returns: 0, -EFBIG above @max, or negative errno. @ret_text is owned by the caller.
 */
int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_n);

/** fd_read_all_at() - the same of a file from byte @at on; its own position stays, for others who read it too */
int fd_read_all_at(int fd, uint64_t at, size_t max, char **ret_text, size_t *ret_n);

/** fd_set_nonblock() - switch O_NONBLOCK. Returns: 0 or negative errno */
int fd_set_nonblock(int fd, bool on);

/**
 * fd_read_number() - read a decimal number from the start of a kernel file (pread at 0)
 * Returns: 0 or negative errno; "max" gives UINT64_MAX.
 */
int fd_read_number(int fd, uint64_t *ret_value);

/**
 * fd_read_keyed() - read "key value" lines of a kernel file (cgroup's flat keyed form), pread at 0
 * Returns: 0, -ENOENT where the key is absent, or negative errno.
 */
int fd_read_keyed(int fd, const char *key, uint64_t *ret_value);

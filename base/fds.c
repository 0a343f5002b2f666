/*
 * fds: see fds.h.
 */
#include "base/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"

/* Linux >= 6.3; older kernels answer EINVAL and make every memfd executable. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define READ_CHUNK 16384
#define SEAL_TRIES 20u
#define KERNEL_FILE_MAX \
        8192 /* the largest flat keyed file of a cgroup, memory.stat, has half of it */

/* Room for one SCM_RIGHTS, for FDS_MAX of them, and for the credentials that a socket with SO_PASSCRED adds. */
typedef union Control {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX) + CMSG_SPACE(sizeof(struct ucred))];
} Control;

ssize_t fds_send(int sock, const void *bytes, size_t n, const int *fds, unsigned n_fds) {
        /* sendmsg does not write through iov_base; its type is shared with recvmsg */
        struct iovec iov = { .iov_base = (void *) (uintptr_t) bytes, .iov_len = n };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
        struct cmsghdr *head;
        Control control;
        ssize_t sent;

        if (n_fds > FDS_MAX)
                return -EINVAL;
        if (n_fds > 0) {
                memset(&control, 0, sizeof(control));
                message.msg_control = control.bytes;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                head = CMSG_FIRSTHDR(&message);
                head->cmsg_level = SOL_SOCKET;
                head->cmsg_type = SCM_RIGHTS;
                head->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(head), fds, sizeof(int) * n_fds);
        }
        do
                sent = sendmsg(sock, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent < 0 ? -errno : sent;
}

/* Gathers what the kernel installed; returns how many. */
static unsigned take_fds(struct msghdr *message, int *fds) {
        struct cmsghdr *head;
        unsigned n = 0;

        for (head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
                size_t bytes = head->cmsg_len - CMSG_LEN(0);

                if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
                        continue;
                memcpy(fds + n, CMSG_DATA(head), bytes);
                n += (unsigned) (bytes / sizeof(int));
        }
        return n;
}

/* Who sent it: with SO_PASSCRED the kernel says so, and nobody else can. */
static int32_t take_pid(struct msghdr *message) {
        struct cmsghdr *head;
        struct ucred who = { .pid = 0 };

        for (head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head))
                if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_CREDENTIALS &&
                    head->cmsg_len == CMSG_LEN(sizeof(who)))
                        memcpy(&who, CMSG_DATA(head), sizeof(who));
        return who.pid;
}

_Static_assert(sizeof(Control) / sizeof(int) <= FDS_ROOM, "all that can come has room");

ssize_t fds_recv_from(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds,
                      int32_t *ret_pid) {
        struct iovec iov = { .iov_base = bytes, .iov_len = n };
        Control control;
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes) };
        ssize_t got;

        do
                got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return -errno;
        *ret_n_fds = take_fds(&message, ret_fds);
        *ret_pid = take_pid(&message);
        if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || *ret_n_fds > FDS_MAX)
                return -EBADMSG;
        return got;
}

ssize_t fds_recv_all(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds) {
        int32_t pid;

        return fds_recv_from(sock, bytes, n, ret_fds, ret_n_fds, &pid);
}

ssize_t fds_recv(int sock, void *bytes, size_t n, int *ret_fds, unsigned *ret_n_fds) {
        int fds[FDS_ROOM];
        unsigned n_fds = 0;
        ssize_t got = fds_recv_all(sock, bytes, n, fds, &n_fds);

        if (got < 0) {
                fds_close(fds, n_fds);
                return got;
        }
        memcpy(ret_fds, fds, sizeof(int) * n_fds);
        *ret_n_fds = n_fds;
        return got;
}

uint32_t fds_pack(int *fds, unsigned n) {
        uint32_t present = 0;
        unsigned next = 0;

        for (unsigned i = 0; i < n; i++) {
                int fd = fds[i];

                if (fd < 0)
                        continue;
                fds[i] = -EBADF;
                fds[next++] = fd;
                present |= 1u << i;
        }
        return present;
}

/* The lowest of @keep from @from on; UINT_MAX: none */
static unsigned next_kept(const int *keep, unsigned n, unsigned from) {
        unsigned next = UINT_MAX;

        for (unsigned i = 0; i < n; i++)
                if (keep[i] >= 0 && (unsigned) keep[i] >= from && (unsigned) keep[i] < next)
                        next = (unsigned) keep[i];
        return next;
}

int fds_close_others(const int *keep, unsigned n) {
        unsigned from = 3, next;

        while ((next = next_kept(keep, n, from)) != UINT_MAX) {
                if (next > from && syscall(SYS_close_range, from, next - 1, 0) < 0)
                        return -errno;
                from = next + 1;
        }
        return syscall(SYS_close_range, from, UINT_MAX, 0) < 0 ? -errno : 0;
}

void fds_close(int *fds, unsigned n) {
        int saved = errno;
        unsigned i;

        for (i = 0; i < n; i++) {
                if (fds[i] >= 0)
                        (void) close(fds[i]);
                fds[i] = -EBADF;
        }
        errno = saved;
}

int memfd_new(const char *name, bool executable, Error *err) {
        unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        int fd = memfd_create(name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, flags);
        if (fd < 0 && errno == EACCES && executable)
                return error_say(
                        err, -EACCES,
                        "executable memfd %s: vm.memfd_noexec=2 forbids it; set it to 1 or 0",
                        name);
        if (fd < 0)
                return error_set(err, -errno, "memfd %s", name);
        return fd;
}

int memfd_add_seals(int fd) {
        const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

        for (unsigned i = 0; i < SEAL_TRIES; i++) {
                if (fcntl(fd, F_ADD_SEALS, seals) == 0)
                        return 0;
                if (errno != EBUSY)
                        break;
        }
        return -errno;
}

/* Consumes @fd; returns it sealed, at offset 0. */
static int memfd_seal_consume(int fd, const char *name, Error *err) {
        autoclose int owned = fd;
        int r = memfd_add_seals(owned);

        if (r < 0)
                return error_set(err, r, "seal memfd %s", name);
        if (lseek(owned, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind memfd %s", name);
        return TAKE_FD(owned);
}

int memfd_sealed(const char *name, const void *bytes, size_t n, bool executable, Error *err) {
        autoclose int fd = memfd_new(name, executable, err);
        int r;

        if (fd < 0)
                return TAKE_FD(fd);
        r = fd_write_all(fd, bytes, n);
        if (r < 0)
                return error_set(err, r, "write memfd %s", name);
        return memfd_seal_consume(TAKE_FD(fd), name, err);
}

/* Copies from offset 0 of @from; -EFBIG above @max, whatever fstat would have said. */
static int copy_all(int to, int from, size_t max) {
        char chunk[READ_CHUNK];
        size_t done = 0;
        ssize_t n;
        int r;

        for (;;) {
                n = pread(from, chunk, sizeof(chunk), (off_t) done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                if ((size_t) n > max - done)
                        return -EFBIG;
                r = fd_write_all(to, chunk, (size_t) n);
                if (r < 0)
                        return r;
                done += (size_t) n;
        }
}

int memfd_sealed_from(const char *name, int fd, size_t max, bool executable, Error *err) {
        autoclose int copy = memfd_new(name, executable, err);
        int r;

        if (copy < 0)
                return TAKE_FD(copy);
        r = copy_all(copy, fd, max);
        if (r < 0)
                return error_set(err, r, "copy into memfd %s", name);
        return memfd_seal_consume(TAKE_FD(copy), name, err);
}

int fds_fill_standard(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
                        return errno ? -errno : -EBADF;
        return 0;
}

int fd_write_all(int fd, const void *bytes, size_t n) {
        const char *at = bytes;
        ssize_t done;

        while (n > 0) {
                done = write(fd, at, n);
                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                at += done;
                n -= (size_t) done;
        }
        return 0;
}

/* Makes room for one chunk more. */
static int grow_text(char **text, size_t used, size_t *cap) {
        size_t want = *cap ? *cap * 2 : READ_CHUNK;
        char *more;

        if (*cap > used + 1)
                return 0;
        more = realloc(*text, want);
        if (!more)
                return -ENOMEM;
        *text = more;
        *cap = want;
        return 0;
}

/* @at: NULL: from where the file stands, which moves */
static int read_all(int fd, const uint64_t *at, size_t max, char **ret_text, size_t *ret_n) {
        autofree char *text = NULL;
        size_t cap = 0, n = 0;
        ssize_t got;
        int r;

        for (;;) {
                r = grow_text(&text, n, &cap);
                if (r < 0)
                        return r;
                got = at ? pread(fd, text + n, cap - n - 1, (off_t) (*at + n))
                         : read(fd, text + n, cap - n - 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                n += (size_t) got;
                if (n > max)
                        return -EFBIG;
        }
        text[n] = 0;
        *ret_text = TAKE_PTR(text);
        if (ret_n)
                *ret_n = n;
        return 0;
}

int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_n) {
        return read_all(fd, NULL, max, ret_text, ret_n);
}

int fd_read_all_at(int fd, uint64_t at, size_t max, char **ret_text, size_t *ret_n) {
        return read_all(fd, &at, max, ret_text, ret_n);
}

int fd_set_nonblock(int fd, bool on) {
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0)
                return -errno;
        flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* A decimal number at @text, ended by a newline or the end. */
static int read_value(const char *text, uint64_t *ret_value) {
        uint64_t value = 0;
        const char *at = text;

        if (strncmp(text, "max", 3) == 0 && (text[3] == '\n' || text[3] == 0)) {
                *ret_value = UINT64_MAX;
                return 0;
        }
        for (; *at >= '0' && *at <= '9'; at++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*at - '0'), &value))
                        return -ERANGE;
        if (at == text || (*at != '\n' && *at != 0))
                return -EINVAL;
        *ret_value = value;
        return 0;
}

static int read_kernel_file(int fd, char *text, size_t size) {
        ssize_t n;

        do
                n = pread(fd, text, size - 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        text[n] = 0;
        return 0;
}

int fd_read_number(int fd, uint64_t *ret_value) {
        char text[32];
        int r = read_kernel_file(fd, text, sizeof(text));

        return r < 0 ? r : read_value(text, ret_value);
}

int fd_read_keyed(int fd, const char *key, uint64_t *ret_value) {
        char text[KERNEL_FILE_MAX];
        size_t n = strlen(key);
        const char *line;
        int r = read_kernel_file(fd, text, sizeof(text));

        if (r < 0)
                return r;
        for (line = text; line && *line; line = strchr(line, '\n')) {
                if (*line == '\n')
                        line++;
                if (strncmp(line, key, n) == 0 && line[n] == ' ')
                        return read_value(line + n + 1, ret_value);
        }
        return -ENOENT;
}

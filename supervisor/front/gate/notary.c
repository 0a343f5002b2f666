/*
 * notary: see notary.h.
 *
 * One line of the list, "anchors" (base/anchor.h), is on disk before the signature is given away. Whoever holds a line's head can show that no later line of that
 * receipt was changed since.
 */
#include "supervisor/front/gate/notary.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/anchor.h"
#include "base/fds.h"
#include "base/lockdown.h"
#include "base/log.h"
#include "base/units.h"
#include "filter-notary.h"

#define SOCKET_FD  3
#define ANCHORS_FD 4
#define PER_SECOND 50 /* signatures: a front that has fallen fills the list in hours, not at once */
#define AT_ONCE    500
#define HELLO_MSEC 10000

typedef struct NotarySelf {
        SignKey *key; /* owned; ends with the process */
        uint64_t last;
        uint64_t bytes; /* of the list */
        bool is_torn;   /* its last line has no end */
        double credit;
        uint64_t credit_usec;
} NotarySelf;

/* ---- the key ------------------------------------------------------------------------------------- */

static int make_key(int fd, SignKey **ret, Error *err) {
        char text[SIGN_PEM_MAX];
        int r = sign_key_make(ret, err);

        if (r == 0)
                r = sign_key_text(*ret, text, err);
        if (r < 0)
                return r;
        r = fd_write_all(fd, text, strlen(text));
        explicit_bzero(text, sizeof(text));
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        return r < 0 ? error_set(err, r, "write the key of receipts") : 0;
}

static int take_key(int fd, SignKey **ret, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r = fd_read_all(fd, SIGN_PEM_MAX, &text, &n);

        if (r < 0)
                return error_set(err, r, "read the key of receipts");
        if (n == 0)
                return make_key(fd, ret, err);
        r = sign_key_read(text, n, ret, err);
        explicit_bzero(text, n);
        return r < 0 ? error_add(err, r, "the key of receipts") : 0;
}

/* For everybody to read; written anew where it is not what the key says */
static int publish(int fd, const char *pem, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r = fd_read_all(fd, SIGN_PEM_MAX, &text, &n);

        if (r == 0 && strcmp(text, pem) == 0)
                return 0;
        if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "write the public key");
        r = fd_write_all(fd, pem, strlen(pem));
        return r < 0 ? error_set(err, r, "write the public key") : 0;
}

/* ---- the list ------------------------------------------------------------------------------------ */

/* One line, without its end. Returns: is it a whole one */
static bool take_line(NotarySelf *self, const char *line, size_t n) {
        Anchor anchor;

        if (anchor_parse(line, n, &anchor) < 0)
                return false;
        if (anchor.number > self->last)
                self->last = anchor.number;
        return true;
}

static void tell_torn(uint64_t torn, uint64_t first) {
        char count[24], at[24];

        if (torn == 0)
                return;
        (void) snprintf(count, sizeof(count), "%llu", (unsigned long long) torn);
        (void) snprintf(at, sizeof(at), "%llu", (unsigned long long) first);
        log_event(LOG_WARNING, "lines of the list of heads are not whole and do not count",
                  F("LINES", count), F("FIRST", at));
}

/* The highest number of all whole lines: it never goes back, whatever a crash or a full disk left behind. The
 * last line counts only with its end, which it lacks where writing it failed: then nothing was signed. */
static void look_through(NotarySelf *self, const char *text, size_t n) {
        uint64_t line = 0, torn = 0, first = 0;
        const char *end;

        for (const char *at = text; n > 0; n -= (size_t) (end + 1 - at), at = end + 1) {
                end = memchr(at, '\n', n);
                line++;
                if ((!end || !take_line(self, at, (size_t) (end - at))) && torn++ == 0)
                        first = line;
                self->is_torn = !end;
                if (!end)
                        break;
        }
        tell_torn(torn, first);
}

static int find_last(NotarySelf *self, int fd, Error *err) {
        struct stat st;
        char *text;

        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at the list of heads");
        self->bytes = (uint64_t) st.st_size;
        if (st.st_size == 0)
                return 0;
        text = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (text == MAP_FAILED)
                return error_set(err, -errno, "read the list of heads");
        look_through(self, text, (size_t) st.st_size);
        (void) munmap(text, (size_t) st.st_size);
        return 0;
}

static bool has_credit(NotarySelf *self) {
        uint64_t now = units_monotonic();

        self->credit += (double) (now - self->credit_usec) * PER_SECOND / 1e6;
        self->credit_usec = now;
        if (self->credit > AT_ONCE)
                self->credit = AT_ONCE;
        if (self->credit < 1)
                return false;
        self->credit -= 1;
        return true;
}

/* What was written in part gets an end: the next head must not stand on its line. */
static int end_torn(NotarySelf *self) {
        if (!self->is_torn)
                return 0;
        if (write(ANCHORS_FD, "\n", 1) != 1)
                return -ENOSPC;
        self->bytes++;
        self->is_torn = false;
        return 0;
}

/* A number whose whole line was written is spent, on disk or not. */
static int append(NotarySelf *self, const Statement *statement, const uint8_t *signature) {
        char line[ANCHOR_LINE_MAX];
        int n = anchor_format(statement, signature, line);
        ssize_t written;

        if (n < 0)
                return n;
        if (self->bytes + (uint64_t) n + 1 > ANCHORS_BYTES_MAX)
                return -EFBIG;
        if (end_torn(self) < 0)
                return -ENOSPC;
        written = write(ANCHORS_FD, line, (size_t) n);
        if (written < 0)
                return -ENOSPC;
        self->bytes += (uint64_t) written;
        self->is_torn = written > 0 && written < n;
        if (written != n)
                return -ENOSPC;
        self->last = statement->anchor;
        return fdatasync(ANCHORS_FD) < 0 ? -EIO : 0;
}

/* ---- requests ------------------------------------------------------------------------------------ */

static int sign(NotarySelf *self, Statement *statement, NotaryReply *reply) {
        autobuf Buf bytes = BUF_EMPTY(2 * STATEMENT_TEXT_MAX);
        char text[STATEMENT_TEXT_MAX];
        int n, r;

        if (!has_credit(self))
                return -EBUSY;
        statement->anchor = self->last + 1;
        statement->time_usec = units_now();
        n = statement_text(statement, text);
        r = n < 0 ? n : statement_signed_bytes(text, (size_t) n, &bytes);
        if (r == 0)
                r = sign_bytes(self->key, bytes.data, bytes.len, reply->signature, NULL);
        if (r == 0)
                r = append(self, statement, reply->signature);
        if (r < 0)
                return r;
        reply->anchor = statement->anchor;
        reply->time_usec = statement->time_usec;
        return 0;
}

/* Returns only where the front has gone, or says what no front says */
static void serve(NotarySelf *self) {
        for (;;) {
                NotaryRequest request;
                NotaryReply reply = { .code = -EINVAL };
                ssize_t n = recv(SOCKET_FD, &request, sizeof(request), MSG_TRUNC);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n != (ssize_t) sizeof(request))
                        return;
                if (request.kind == NOTARY_SYNC)
                        reply.code = 0;
                else if (request.kind == NOTARY_SIGN)
                        reply.code = sign(self, &request.statement, &reply);
                if (reply.code < 0)
                        memset(reply.signature, 0, sizeof(reply.signature));
                if (send(SOCKET_FD, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
                        return;
        }
}

static int prepare(NotarySelf *self, const NotaryFds *fds, NotaryHello *hello, Error *err) {
        int filter, r;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void) prctl(PR_SET_NAME, "warder-notary", 0, 0, 0);
        r = take_key(fds->key, &self->key, err);
        if (r == 0)
                r = sign_key_name(self->key, hello->key, err);
        if (r == 0)
                r = sign_key_public_text(self->key, hello->pem, err);
        if (r == 0)
                r = publish(fds->public_key, hello->pem, err);
        if (r == 0)
                r = find_last(self, fds->anchors, err);
        if (r < 0)
                return r;
        filter = memfd_sealed("filter", filter_notary, sizeof(filter_notary), false, err);
        return filter < 0 ? filter : lock_down(ANCHORS_FD, filter, err);
}

/* Descriptors first: what lies at our two places may be one of those that are wanted */
static int place(int socket, NotaryFds *fds) {
        int high[] = { fcntl(socket, F_DUPFD_CLOEXEC, 100),
                       fcntl(fds->anchors, F_DUPFD_CLOEXEC, 100),
                       fcntl(fds->key, F_DUPFD_CLOEXEC, 100),
                       fcntl(fds->public_key, F_DUPFD_CLOEXEC, 100) };

        for (unsigned i = 0; i < ELEMENTS(high); i++)
                if (high[i] < 0)
                        return -errno;
        if (dup2(high[0], SOCKET_FD) < 0 || dup2(high[1], ANCHORS_FD) < 0)
                return -errno;
        *fds = (NotaryFds){ .key = high[2], .public_key = high[3], .anchors = ANCHORS_FD };
        return 0;
}

static _Noreturn void be_notary(int socket, NotaryFds fds) {
        NotarySelf self = { .credit = AT_ONCE, .credit_usec = units_monotonic() };
        NotaryHello hello = { .code = 0 };
        Error err = ERROR_EMPTY;
        int r = place(socket, &fds);

        if (r < 0)
                _exit(1);
        hello.code = prepare(&self, &fds, &hello, &err);
        if (hello.code < 0)
                memcpy(hello.text, err.text, sizeof(hello.text));
        if (send(SOCKET_FD, &hello, sizeof(hello), MSG_NOSIGNAL) > 0 && hello.code == 0)
                serve(&self);
        _exit(0);
}

/* ---- the front's side of its start --------------------------------------------------------------- */

int notary_hear(int fd, NotaryHello *ret, Error *err) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        NotaryHello hello;
        ssize_t n = poll(&wait, 1, HELLO_MSEC) == 1 ? recv(fd, &hello, sizeof(hello), 0) : -1;

        if (n != (ssize_t) sizeof(hello))
                return error_say(err, -EPIPE, "the notary does not start");
        hello.text[sizeof(hello.text) - 1] = hello.key[sizeof(hello.key) - 1] = 0;
        hello.pem[sizeof(hello.pem) - 1] = 0;
        if (hello.code < 0)
                return error_say(err, hello.code, "%s", hello.text);
        *ret = hello;
        return 0;
}

int notary_start(NotaryFds *fds, Error *err) {
        autoclose int ours = -EBADF, theirs = -EBADF;
        int pair[2], r = 0;
        pid_t pid = -1;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                r = error_set(err, -errno, "make the notary's socket");
        if (r == 0) {
                ours = pair[0];
                theirs = pair[1];
                pid = fork();
        }
        if (pid == 0)
                be_notary(theirs, *fds);
        if (r == 0 && pid < 0)
                r = error_set(err, -errno, "start the notary");
        fds_close((int[]){ fds->key, fds->public_key, fds->anchors }, 3);
        *fds = (NotaryFds){ -EBADF, -EBADF, -EBADF };
        if (r == 0)
                r = fd_set_nonblock(ours, true);
        return r < 0 ? r : TAKE_FD(ours);
}

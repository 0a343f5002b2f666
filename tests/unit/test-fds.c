/* fds: descriptors and bytes arrive whole or not at all. */
#include "base/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/tap.h"

static void too_many_are_refused(void) {
        int fds[FDS_MAX + 1] = { 0 };

        is_number(fds_send(1, "x", 1, fds, FDS_MAX + 1), -EINVAL, "more than FDS_MAX are not sent");
}

/* A truncated datagram: what came with it is closed, or a peer could fill our table. */
static void truncation_closes_what_came(void) {
        int pair[2], fds[FDS_MAX], sent[2] = { 0, 0 };
        char byte[1];
        unsigned n = 77;
        int before, after;

        if (!ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "a pair"))
                return;
        before = dup(0);
        (void) close(before);
        (void) fds_send(pair[0], "long", 4, sent, 2);
        is_number(fds_recv(pair[1], byte, 1, fds, &n), -EBADMSG, "a cut message is refused");
        is_number(n, 77, "and writes no output");
        after = dup(0);
        is_number(after, before, "its descriptors are closed");
        (void) close(after);
        fds_close(pair, 2);
}

static void end_and_empty(void) {
        int pair[2], fds[FDS_MAX];
        char bytes[8];
        unsigned n = 0;

        (void) socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
        is_number(fds_recv(pair[1], bytes, 8, fds, &n), -EAGAIN, "nothing there: EAGAIN");
        (void) close(pair[0]);
        is_number(fds_recv(pair[1], bytes, 8, fds, &n), 0, "the end is 0");
        is_number(fds_send(pair[1], "x", 1, NULL, 0), -EPIPE, "sending then is EPIPE, no signal");
        (void) close(pair[1]);
}

static void descriptors_travel(void) {
        int pair[2], fds[FDS_MAX], ends[2];
        char bytes[8];
        unsigned n = 0;

        (void) socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
        ok(pipe(ends) == 0, "a pipe");
        is_number(fds_send(pair[0], "hi", 2, ends, 2), 2, "two bytes and two descriptors leave");
        is_number(fds_recv(pair[1], bytes, sizeof(bytes), fds, &n), 2, "two bytes come");
        is_number(n, 2, "with two descriptors");
        ok(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, "close-on-exec");
        (void) fd_write_all(fds[1], "z", 1);
        ok(read(ends[0], bytes, 1) == 1 && bytes[0] == 'z', "they are the same pipe");
        fds_close(fds, n);
        is_number(fds[1], -EBADF, "closed ones are marked");
        fds_close(ends, 2);
        fds_close(pair, 2);
}

static void sealed_memfd_cannot_change(void) {
        autoclose int fd = memfd_sealed("test", "abc", 3, false, NULL);
        autoclose int copy = memfd_sealed_from("test", fd, 3, true, NULL);
        Error err = ERROR_EMPTY;
        char bytes[8];

        ok(fd >= 0, "made");
        ok(write(fd, "x", 1) < 0 && errno == EPERM, "writing is refused");
        ok(ftruncate(fd, 0) < 0, "shrinking is refused");
        is_number(pread(fd, bytes, 8, 0), 3, "the content is there");
        ok(copy >= 0 || copy == -EACCES, "an executable copy, where the host allows it");
        is_number(memfd_sealed_from("test", fd, 2, false, &err), -EFBIG, "a maximum holds");
        has_text(err.text, "copy into memfd test", "and the reason names it");
        is_number(memfd_sealed_from("test", -1, 2, false, &err), -EBADF, "no source, no memfd");
}

static void read_all_has_a_maximum(void) {
        autoclose int fd = memfd_sealed("test", "0123456789", 10, false, NULL);
        autofree char *text = NULL;
        size_t n = 5;

        is_number(fd_read_all(fd, 9, &text, &n), -EFBIG, "ten bytes where nine may come");
        ok(!text && n == 5, "no output then");
        (void) lseek(fd, 0, SEEK_SET);
        is_number(fd_read_all(fd, 10, &text, &n), 0, "ten where ten may come");
        is_text(text, "0123456789", "all of them");
        is_number(n, 10, "counted");
}

static int kernel_file(const char *text) {
        return memfd_sealed("file", text, strlen(text), false, NULL);
}

static int number_of(const char *text, uint64_t *value) {
        autoclose int fd = kernel_file(text);

        return fd_read_number(fd, value);
}

static void numbers_of_kernel_files(void) {
        uint64_t value = 7;

        is_number(number_of("", &value), -EINVAL, "an empty file");
        is_number(number_of("abc\n", &value), -EINVAL, "letters");
        is_number(number_of("12 3\n", &value), -EINVAL, "something behind the number");
        is_number(number_of("99999999999999999999\n", &value), -ERANGE, "above 64 bits");
        is_number(value, 7, "no output on failure");
        is_number(number_of("12\n", &value), 0, "a number");
        is_number(value, 12, "is read");
        is_number(number_of("max\n", &value), 0, "max");
        ok(value == UINT64_MAX, "is the largest");
}

static void keyed_kernel_files(void) {
        autoclose int fd = kernel_file("oom 1\noom_kill 23\nmax max\nlast 4");
        uint64_t value = 0;

        is_number(fd_read_keyed(fd, "kill", &value), -ENOENT, "a part of a key is no key");
        is_number(fd_read_keyed(fd, "nothing", &value), -ENOENT, "an absent key");
        is_number(fd_read_keyed(fd, "oom_kill", &value), 0, "a key");
        is_number(value, 23, "and its value");
        is_number(fd_read_keyed(fd, "oom", &value), 0, "a key that another one starts with");
        is_number(value, 1, "and its value");
        is_number(fd_read_keyed(fd, "last", &value), 0, "the last, without a newline");
        is_number(value, 4, "and its value");
}

static void what_is_there_comes_first(void) {
        int fds[] = { 10, -EBADF, 12, -1, 14 };

        is_number(fds_pack(fds, 5), 1 | 4 | 16, "the places that were taken");
        ok(fds[0] == 10 && fds[1] == 12 && fds[2] == 14, "what is there, in its order");
        ok(fds[3] < 0 && fds[4] < 0, "and nothing twice");
        is_number(fds_pack(fds + 3, 2), 0, "where there is none");
}

int main(void) {
        what_is_there_comes_first();
        too_many_are_refused();
        truncation_closes_what_came();
        end_and_empty();
        descriptors_travel();
        sealed_memfd_cannot_change();
        read_all_has_a_maximum();
        numbers_of_kernel_files();
        keyed_kernel_files();
        return tap_end();
}

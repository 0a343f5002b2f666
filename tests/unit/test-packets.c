/*
 * packets: a message that the kernel has no memory for goes later, and in order. The monitor gets the order to end a
 * jail once; lost, it left the jail, and whoever waited for its end.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "supervisor/front/packets.h"
#include "tests/tap.h"

static int refusal;      /* what the next sends fail with; 0: none */
static unsigned refused; /* how many did */
static bool ended;

/* The linker's own names: --wrap=fds_send. */
ssize_t __real_fds_send(int sock, const void *bytes, size_t n, const int *fds, unsigned n_fds);
ssize_t __wrap_fds_send(int sock, const void *bytes, size_t n, const int *fds, unsigned n_fds);

ssize_t __wrap_fds_send(int sock, const void *bytes, size_t n, const int *fds, unsigned n_fds) {
        if (refusal == 0)
                return __real_fds_send(sock, bytes, n, fds, n_fds);
        refused++;
        return refusal;
}

static void on_packet(const void *bytes, size_t n, int *fds, unsigned n_fds, void *userdata) {
        (void) bytes;
        (void) n;
        (void) fds;
        (void) n_fds;
        (void) userdata;
}

static void on_end(const Error *err, void *userdata) {
        (void) err;
        (void) userdata;
        ended = true;
}

static bool is_next(int sock, const char *text) {
        char got[8] = { 0 };

        return recv(sock, got, sizeof(got) - 1, MSG_DONTWAIT) > 0 && strcmp(got, text) == 0;
}

static void run_turns(sd_event *event) {
        for (unsigned i = 0; i < 4; i++)
                (void) sd_event_run(event, 0);
}

static void try_refusal(sd_event *event, int code) {
        const PacketsHandler handler = { "test", on_packet, on_end, NULL, { 0 } };
        SCOPED(packets_free) Packets *packets = NULL;
        int ends[2];

        refused = 0;
        ended = false;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
            packets_new_consume(event, ends[0], &handler, &packets, NULL) < 0) {
                ok(false, "a socket is watched");
                return;
        }
        refusal = code;
        ok(packets_send(packets, "one", 3, NULL, 0, NULL) == 0 &&
                   packets_send(packets, "two", 3, NULL, 0, NULL) == 0,
           "what the kernel refuses with %d waits", code);
        run_turns(event);
        ok(refused > 1 && !ended && !is_next(ends[1], "one"), "is tried again, and not given up");
        refusal = 0;
        run_turns(event);
        ok(is_next(ends[1], "one") && is_next(ends[1], "two"), "and goes in order");
        refusal = -EPIPE;
        ok(packets_send(packets, "three", 5, NULL, 0, NULL) == -EPIPE, "another reason is told");
        refusal = 0;
        (void) close(ends[1]);
}

int main(void) {
        static const int codes[] = { -EAGAIN, -ENOMEM, -ENOBUFS };
        sd_event *event = NULL;

        if (sd_event_new(&event) < 0)
                return 1;
        for (unsigned i = 0; i < ELEMENTS(codes); i++)
                try_refusal(event, codes[i]);
        sd_event_unref(event);
        return tap_end();
}

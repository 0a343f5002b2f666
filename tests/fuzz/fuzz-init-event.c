/*
 * init-event: events as a hostile init sends them to the front, over requests of every kind that wait. Input:
 * events, each a kind, an id, a count of descriptors and a change of length (a byte each). A request hears its
 * last event once and nothing after it; no descriptor is left behind.
 */
#include "supervisor/front/jails/init-link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/closer.h"
#include "tests/fuzz/fuzz.h"

#define HEAD     4
#define REQUESTS 14u /* two of each kind */

typedef struct Heard {
        unsigned events, last;
} Heard;

static sd_event *event;
static bool broken;

static int admit(void *userdata, uint64_t who, int fd) {
        (void) userdata;
        (void) who;
        return fd;
}

void closer_jail_door(Closer *closer, uint32_t uid, RpcDoor *ret) {
        (void) closer;
        *ret = (RpcDoor){ .admit = admit, .who = uid };
}

static void must(bool good) {
        if (!good)
                abort();
}

static void on_event(const InitEvent *what, int *fds, unsigned n_fds, void *userdata) {
        Heard *heard = userdata;

        must(!heard->last);
        heard->events++;
        heard->last = !what || (what->kind != INIT_STARTED && what->kind != INIT_OUTPUT_LIMIT);
        must(n_fds <= 2 && (n_fds == 0 || fds[0] >= 0) && heard->events <= 3);
}

static void on_broken(const Error *err, void *userdata) {
        (void) userdata;
        must(!err || err->text[0]);
        broken = true;
}

static void ask(InitLink *link, Heard *heard) {
        static const uint32_t kinds[] = { INIT_EXEC,   INIT_SIGNAL, INIT_OPEN,   INIT_SLOT,
                                          INIT_LISTEN, INIT_COUNT,  INIT_MEASURE };
        unsigned i;

        for (i = 0; i < REQUESTS; i++) {
                InitHead head = { .kind = kinds[i % ELEMENTS(kinds)], .id = 1 };
                InitMessage message = { .bytes = &head, .n = sizeof(head) };

                must(init_link_send(link, &message, on_event, &heard[i], NULL) == 0);
        }
        init_link_forget(link, &heard[REQUESTS - 1]);
}

static void tell(int init, const uint8_t *data) {
        int fds[FDS_MAX], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        char bytes[sizeof(InitEvent) + UINT8_MAX] = { 0 };
        InitEvent what = { .kind = data[0], .id = data[1], .code = (int8_t) data[3] };
        size_t n = sizeof(what);
        unsigned i;

        for (i = 0; i < FDS_MAX; i++)
                fds[i] = null;
        memcpy(bytes, &what, sizeof(what));
        if (data[3] >= 0x80) /* most lengths are right */
                n = data[3] == 0xff ? n + 1 : n - (data[3] & 0x7f) % n;
        (void) fds_send(init, bytes, n, fds, data[2] % (FDS_MAX + 1));
        (void) close(null);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        Heard heard[REQUESTS] = { 0 };
        Front front = { 0 };
        InitLinkSpec spec = { .broken = on_broken };
        InitLink *link = NULL;
        int ends[2], before;

        if (!event)
                must(sd_event_new(&event) >= 0);
        before = dup(0);
        (void) close(before);
        broken = false;
        front.event = event;
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        spec.fd = ends[0];
        must(init_link_new_consume(&front, &spec, &link, NULL) == 0);
        ask(link, heard);
        for (; n >= HEAD && !broken; data += HEAD, n -= HEAD) {
                tell(ends[1], data);
                must(sd_event_run(event, 0) >= 0);
        }
        if (!broken)
                init_link_drain(link);
        init_link_free(link);
        (void) close(ends[1]);
        for (unsigned i = 0; i + 1 < REQUESTS; i++)
                must(heard[i].last == 1);
        ends[0] = dup(0);
        must(ends[0] == before); /* the lowest free descriptor is the one it was */
        (void) close(ends[0]);
        return 0;
}

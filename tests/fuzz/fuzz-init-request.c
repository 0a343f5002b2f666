/*
 * init-request: messages as a hostile front sends them to a jail's init. Input: messages, each a length (two
 * bytes), a count of descriptors (one byte) and its bytes. Children, files and groups are played here; every
 * message is answered at most once, and no descriptor is left behind.
 */
#include "sandbox/init/request.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/init/command.h"
#include "sandbox/init/locks.h"
#include "sandbox/init/open.h"
#include "sandbox/init/slot.h"
#include "sandbox/init/uncounted.h"
#include "tests/fuzz/fuzz.h"

#define HEAD  3
#define SLOTS 2 /* that there are */

static unsigned answers;
static bool alone; /* in a network of our own: listening disturbs nobody */
static int children[JAIL_SLOTS_MAX];

static void must(bool good) {
        if (!good)
                abort();
}

/* ---- init's other parts, played ------------------------------------------------------------------- */

void init_send(Init *init, InitEvent *event, const int *fds) {
        (void) init;
        answers++;
        must(event->kind > 0 && event->kind < _INIT_EVENT_MAX && event->step < _INIT_STEP_MAX);
        must(event->n_fds <= 2 && (event->n_fds == 0 || fds[0] >= 0));
}

int open_request(const InitOpen *request, const char *path, uint64_t *ret_size) {
        must(strlen(path) + 1 == request->head.blob);
        *ret_size = 0;
        return -ENOENT;
}

int uncounted_read(Uncounted *ret) {
        (void) ret;
        return -ENOENT;
}

uint64_t locks_count(int fd) {
        must(fd == INIT_FD_LOCKS);
        return 0;
}

int slot_add(Init *init, uint32_t slot, int dir) {
        (void) dir;
        must(slot < JAIL_SLOTS_MAX && init->slots[slot].dir < 0);
        return -ENOENT;
}

int slot_narrow(Init *init, uint32_t slot, int dir, const int *groups, unsigned n) {
        (void) init;
        (void) dir;
        (void) groups;
        must(slot < JAIL_SLOTS_MAX && n <= PARK_LIMITS_MAX);
        return -ENOENT;
}

void slot_park(Init *init, Slot *slot) {
        int ends[2];

        if (slot->sock >= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return;
        slot->sock = ends[0];
        children[slot - init->slots] = ends[1];
}

void slot_want_next(Init *init) {
        (void) init;
}

/* ---- the target ----------------------------------------------------------------------------------- */

static void init_new(Init *init) {
        unsigned i;

        *init = (Init){ .spawner = -EBADF, .filter = -EBADF, .null = open("/dev/null", O_RDWR) };
        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                slot->sock = slot->group = slot->events = children[i] = -EBADF;
                slot->dir = i < SLOTS ? init->null : -EBADF;
                slot->command.streams[0] = slot->command.streams[1] = CAPTURE_EMPTY;
        }
}

static void init_end(Init *init) {
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Command *command = &init->slots[i].command;
                uint64_t kept, cut;

                fds_close(&init->slots[i].sock, 1);
                fds_close(&children[i], 1);
                fds_close(command->pending.own, command->pending.n_own);
                free(command->pending.message);
                for (unsigned s = 0; s < 2; s++) {
                        int fd = command->streams[s].used
                                         ? capture_end(&command->streams[s], &kept, &cut)
                                         : -EBADF;

                        fds_close(&fd, 1);
                }
        }
        for (i = 0; i < COPIES_MAX; i++)
                if (init->copies.items[i].used)
                        fds_close(&init->copies.items[i].fd, 1);
        fds_close(&init->null, 1);
}

static void send_one(Init *init, int front, const uint8_t *bytes, size_t n, unsigned n_fds) {
        int fds[FDS_MAX];
        unsigned i;

        for (i = 0; i < FDS_MAX; i++)
                fds[i] = init->null;
        if (fds_send(front, bytes, n, fds, n_fds) < 0)
                return;
        answers = 0;
        request_take(init);
        must(answers <= 1);
}

/* What as_init() changes is the process's own: the next input finds it as this one did. */
static void restore_ids(void) {
        (void) setfsuid(geteuid());
        (void) setfsgid(getegid());
        (void) prctl(PR_SET_DUMPABLE, 1);
        (void) prctl(PR_SET_PDEATHSIG, 0);
}

static bool may_send(const uint8_t *bytes, size_t n) {
        InitHead head = { 0 };

        memcpy(&head, bytes, n < sizeof(head) ? n : sizeof(head));
        return n > 0 && (alone || head.kind != INIT_LISTEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        static int started;
        int ends[2], before = dup(0);
        Init init;

        if (!started++)
                alone = unshare(CLONE_NEWNET) == 0;
        (void) close(before);
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        init_new(&init);
        init.front = ends[0];
        while (n > HEAD) {
                size_t size = (size_t) (data[0] << 8 | data[1]);
                unsigned n_fds = data[2] % (FDS_MAX + 1);

                data += HEAD;
                n -= HEAD;
                if (size > n)
                        size = n;
                if (may_send(data, size))
                        send_one(&init, ends[1], data, size, n_fds);
                data += size;
                n -= size;
        }
        init_end(&init);
        fds_close(ends, 2);
        restore_ids();
        ends[0] = dup(0);
        must(ends[0] == before); /* the lowest free descriptor is the one it was */
        (void) close(ends[0]);
        return 0;
}

/*
 * request: what the front asks of init. Everything is checked: size, count of descriptors, bounds. A
 * request that is not understood is answered with -EBADMSG where it has an id to answer to.
 */
#include "sandbox/init/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/init/command.h"
#include "sandbox/init/ended.h"
#include "sandbox/init/locks.h"
#include "sandbox/init/open.h"
#include "sandbox/init/slot.h"
#include "sandbox/init/uncounted.h"

#define LISTEN_BACKLOG 64

static void answer(Init *init, uint64_t id, uint32_t kind, int code) {
        InitEvent event = { .kind = kind, .id = id, .code = code };

        init_send(init, &event, NULL);
}

static void take_signal(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitSignal *request = bytes;
        const Slot *slot = command_find(init, request->head.id);
        int r;

        (void) n_fds;
        (void) fds;
        if (!slot)
                r = -ESRCH;
        else if (request->signal < 0 || request->signal > SIGRTMAX)
                r = -EINVAL;
        else
                r = kill(-slot->pid, request->signal) < 0 ? -errno : 0;
        answer(init, request->head.id, INIT_DONE, r);
}

static void take_slot(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitSlot *request = bytes;
        struct statfs st;
        int r = -EINVAL;

        if (request->slot >= JAIL_SLOTS_MAX || fstatfs(fds[0], &st) < 0 ||
            st.f_type != CGROUP2_SUPER_MAGIC)
                r = -EINVAL;
        else if (request->narrow)
                r = slot_narrow(init, request->slot, fds[0], fds + 1, n_fds - 1);
        else if (init->slots[request->slot].dir < 0 && n_fds == 1)
                r = slot_add(init, request->slot, fds[0]);
        if (r == 0)
                fds[0] = -EBADF;
        answer(init, request->head.id, INIT_DONE, r);
}

static void take_listen(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitListen *request = bytes;
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(address);
        InitEvent event = { .kind = INIT_LISTENING, .id = request->head.id };
        autoclose int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;

        (void) n_fds;
        (void) fds;
        address.sin_port = htons((uint16_t) request->port);
        if (request->port > UINT16_MAX)
                event.code = -EINVAL;
        else if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                 bind(sock, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
                 listen(sock, LISTEN_BACKLOG) < 0 ||
                 getsockname(sock, (struct sockaddr *) &address, &n) < 0)
                event.code = -errno;
        event.value = event.code == 0 ? ntohs(address.sin_port) : 0;
        event.n_fds = event.code == 0;
        init_send(init, &event, &sock);
}

static void take_count(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitCount *request = bytes;
        InitEvent event = { .kind = INIT_COUNTED, .id = request->head.id };
        Uncounted uncounted = { 0 };

        (void) n_fds;
        (void) fds;
        event.code = uncounted_read(&uncounted);
        event.value = uncounted.seen;
        event.seen[0] = uncounted.hidden;
        event.seen[1] = uncounted.pinned;
        event.kept[0] = uncounted.counted;
        event.kept[1] = request->locks ? locks_count(INIT_FD_LOCKS) : 0;
        init_send(init, &event, NULL);
}

/* The kernel sends SIGHUP to the session, as to one whose window was closed */
static int hang_up(Command *command) {
        if (!command->keys.terminal)
                return -ENOTTY;
        fds_close(&command->streams[0].fd, 1);
        return 0;
}

static int look_at_terminal(const Command *command, const InitLogs *request) {
        if (!command->keys.terminal)
                return -ENOTTY;
        if (command->streams[0].fd < 0)
                return -ESRCH; /* it was hung up, or nothing has it open any more: the end is near */
        return request->rows || request->columns
                       ? keys_size(command->streams[0].fd, request->rows, request->columns)
                       : 0;
}

/* What is kept, and the pipes that were asked for. Who does not get all gets none: @out is closed by the caller */
static int open_logs(Init *init, Command *command, const InitLogs *request, InitEvent *event,
                     int out[3]) {
        Capture *capture = &command->streams[0];
        Copy copy = { .fd = -EBADF };
        int r = copies_give(&init->copies, command->id, capture, &copy);
        unsigned n = 0;

        if (r < 0)
                return r;
        out[n++] = copy.fd;
        if (request->follow)
                out[n++] = capture_follow(capture, request->keys);
        if (out[n - 1] >= 0 && request->keys)
                out[n++] = keys_attach(&command->keys);
        if (out[n - 1] < 0)
                return out[n - 1];
        event->kept[0] = copy.kept;
        event->cut_at[0] = copy.cut_at;
        event->seen[0] = copy.seen;
        event->n_fds = n;
        return 0;
}

static void take_logs(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitLogs *request = bytes;
        Slot *slot = command_find(init, request->command);
        Capture *capture = slot ? &slot->command.streams[0] : NULL;
        InitEvent event = { .kind = INIT_LOGGED, .id = request->head.id };
        int out[3] = { -EBADF, -EBADF, -EBADF };

        (void) n_fds;
        (void) fds;
        event.code = !capture ? -ESRCH : !capture->used ? -ENODATA : 0;
        if (event.code == 0 && (request->rows || request->columns || request->keys))
                event.code = look_at_terminal(&slot->command, request);
        if (event.code == 0 && request->only == INIT_LOGS_HANG_UP)
                event.code = hang_up(&slot->command);
        else if (event.code == 0 && request->only == INIT_LOGS_ALL)
                event.code = open_logs(init, &slot->command, request, &event, out);
        init_send(init, &event, out);
        fds_close(out, ELEMENTS(out));
}

static void take_measure(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitHead *request = bytes;
        InitEvent event = { .kind = INIT_MEASURED, .id = request->id };

        (void) n_fds;
        (void) fds;
        event.code = upper_measure(init, &event);
        for (unsigned i = 0; i < ELEMENTS(init->slots); i++)
                for (unsigned k = 0; k < ELEMENTS(init->slots[i].command.streams); k++)
                        event.value += init->slots[i].command.streams[k].seen;
        init_send(init, &event, NULL);
}

static void take_open(Init *init, const void *bytes, int *fds, unsigned n_fds) {
        const InitOpen *request = bytes;
        const char *path = (const char *) (request + 1);
        InitEvent event = { .kind = INIT_OPENED, .id = request->head.id };
        autoclose int fd = -EBADF;

        (void) n_fds;
        (void) fds;
        if (request->head.blob == 0 ||
            memchr(path, 0, request->head.blob) != path + request->head.blob - 1)
                fd = -EBADMSG;
        else
                fd = open_request(request, path, &event.value);
        event.code = fd < 0 ? fd : 0;
        event.n_fds = fd >= 0;
        init_send(init, &event, &fd);
}

typedef struct RequestRow {
        size_t size; /* of the struct */
        bool blob;   /* bytes may follow, as many as the head says */
        unsigned n_fds, n_fds_max;
        uint32_t event; /* what a refusal is answered with */
        void (*take)(Init *init, const void *bytes, int *fds, unsigned n_fds);
} RequestRow;

static const RequestRow rows[_INIT_REQUEST_MAX] = {
        [INIT_EXEC] = { sizeof(InitExec), true, 0, 0, INIT_ENDED, NULL },
        [INIT_SIGNAL] = { sizeof(InitSignal), false, 0, 0, INIT_DONE, take_signal },
        [INIT_OPEN] = { sizeof(InitOpen), true, 0, 0, INIT_OPENED, take_open },
        [INIT_SLOT] = { sizeof(InitSlot), false, 1, 1 + PARK_LIMITS_MAX, INIT_DONE, take_slot },
        [INIT_LISTEN] = { sizeof(InitListen), false, 0, 0, INIT_LISTENING, take_listen },
        [INIT_COUNT] = { sizeof(InitCount), false, 0, 0, INIT_COUNTED, take_count },
        [INIT_LOGS] = { sizeof(InitLogs), false, 0, 0, INIT_LOGGED, take_logs },
        [INIT_MEASURE] = { sizeof(InitHead), false, 0, 0, INIT_MEASURED, take_measure },
};

void request_take(Init *init) {
        static ExecMessage message;
        const InitHead *head = &message.exec.head;
        int fds[FDS_MAX];
        const RequestRow *row;
        unsigned n_fds = 0;
        ssize_t n = fds_recv(init->front, &message, sizeof(message), fds, &n_fds);

        if (n == 0 || n == -ECONNRESET)
                _exit(0); /* nobody asks any more: process 1 takes the jail with it */
        if (n < (ssize_t) sizeof(*head) || head->kind == 0 || head->kind >= _INIT_REQUEST_MAX) {
                fds_close(fds, n_fds);
                return;
        }
        row = &rows[head->kind];
        if (head->kind == INIT_EXEC && (size_t) n >= row->size) {
                command_start(init, &message, (size_t) n, fds, n_fds);
                return;
        }
        if (row->take && (size_t) n == row->size + (row->blob ? head->blob : 0) &&
            n_fds >= row->n_fds && n_fds <= row->n_fds_max)
                row->take(init, &message, fds, n_fds);
        else
                answer(init, head->id, row->event, -EBADMSG);
        fds_close(fds, n_fds);
}

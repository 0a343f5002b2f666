/*
 * hostile-ask: see hostile.h.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "tests/rpc/hostile.h"

/* Sends @n bytes and waits for an answer. Returns: its code, or -EPIPE where the monitor has hung up. */
int ask(const void *request, size_t n, const int *fds, unsigned n_fds, MonitorReply *reply) {
        struct pollfd wait = { FRONT_FD_MONITOR, POLLIN, 0 };
        int got[FDS_MAX];
        unsigned n_got = 0;
        ssize_t r = fds_send(FRONT_FD_MONITOR, request, n, fds, n_fds);

        if (r < 0)
                return (int) r;
        if (poll(&wait, 1, ANSWER_MSEC) != 1)
                return -ETIMEDOUT;
        r = fds_recv(FRONT_FD_MONITOR, reply, sizeof *reply, got, &n_got);
        fds_close(got, n_got);
        return r == (ssize_t) sizeof *reply ? reply->code : -EPIPE;
}

int ask_keep(const CreateRequest *request, const int *fds, MonitorReply *reply, int *ret_fds) {
        struct pollfd wait = { FRONT_FD_MONITOR, POLLIN, 0 };
        unsigned n = 0;

        if (fds_send(FRONT_FD_MONITOR, request, sizeof *request, fds, request->plan.n_fds) < 0 ||
            poll(&wait, 1, ANSWER_MSEC) != 1 ||
            fds_recv(FRONT_FD_MONITOR, reply, sizeof *reply, ret_fds, &n) != sizeof *reply)
                return -EPIPE;
        return reply->code;
}

int ask_handle(RequestKind kind, uint64_t handle, MonitorReply *reply) {
        HandleRequest request = { { kind, 7 }, handle };

        return ask(&request, sizeof request, NULL, 0, reply);
}

int ask_slot(uint64_t handle, MonitorReply *reply) {
        SlotRequest request = { { REQUEST_SLOT, 8 }, handle, { 0 }, SLOT_ANY, 0 };

        return ask(&request, sizeof request, NULL, 0, reply);
}

int ask_layer(RequestKind kind, uint64_t handle, const uint8_t *digest, MonitorReply *reply) {
        LayerRequest request = { { kind, 9 }, handle, { 0 } };

        if (digest)
                memcpy(request.digest, digest, sizeof request.digest);
        return ask(&request, sizeof request, NULL, 0, reply);
}

/* A plan that is right but for what a test changes: the host root, one writable overlay. */
CreateRequest good_request(void) {
        CreateRequest request = { .head = { REQUEST_JAIL_CREATE, 3 },
                                  .plan = { .version = PLAN_VERSION,
                                            .flags = PLAN_HOST_ROOT,
                                            .uid = JAIL_USER_ID,
                                            .gid = JAIL_USER_ID,
                                            .n_layers = 1,
                                            .n_views = 1,
                                            .n_fds = 1,
                                            .limits = { .memory_bytes = 256u << 20,
                                                        .disk_bytes = 64u << 20,
                                                        .inodes = 10000,
                                                        .pids = 64,
                                                        .cpu_permille = 1000 },
                                            .hostname = "jail",
                                            .views = { { VIEW_ROOT, VIEW_WRITABLE, 0, 1 } },
                                            .layers = { { .kind = LAYER_SKELETON } } } };

        return request;
}

/* A caller's directory at /work, over the skeleton's root. */
CreateRequest dir_request(void) {
        CreateRequest request = good_request();

        request.plan.n_layers = 2;
        request.plan.n_views = 2;
        request.plan.n_fds = 3;
        request.plan.views[1] = (PlanView){ VIEW_WORK, VIEW_WRITABLE, 1, 1 };
        request.plan.layers[1] = (PlanLayer){ .kind = LAYER_DIR, .fd = 1, .conn = 2 };
        return request;
}

int ask_create(const CreateRequest *request, int fd, int conn) {
        int fds[3] = { FRONT_FD_FILTER, fd, conn };
        MonitorReply reply = { 0 };
        int code = ask(request, sizeof *request, fds, request->plan.n_fds, &reply);

        if (code < 0)
                fprintf(stderr, "create: %s\n", reply.text);
        return code;
}

/* Sends a create whose only descriptor is the filter. Returns: its code; @reply has the handle */
int create(const CreateRequest *request, MonitorReply *reply) {
        int filter = FRONT_FD_FILTER;

        return ask(request, sizeof *request, &filter, 1, reply);
}

/* The next message that is an event: a jail's end. Returns: its handle, 0 where none came. */
uint64_t next_end(void) {
        struct pollfd wait = { FRONT_FD_MONITOR, POLLIN, 0 };
        MonitorReply event = { 0 };
        int got[FDS_MAX];
        unsigned n_got = 0;

        if (poll(&wait, 1, ANSWER_MSEC) != 1)
                return 0;
        (void) fds_recv(FRONT_FD_MONITOR, &event, sizeof event, got, &n_got);
        fds_close(got, n_got);
        return event.kind == MONITOR_JAIL_ENDED ? event.handle : 0;
}

void end_jail(uint64_t handle) {
        MonitorReply reply;

        if (ask_handle(REQUEST_JAIL_DESTROY, handle, &reply) == 0)
                (void) next_end();
}

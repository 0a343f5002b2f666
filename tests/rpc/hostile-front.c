/*
 * A front that is not what it seems: monitor.t puts it in the place of warder-front, and it plays the
 * scenario that the data directory names and writes what it saw into its state directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/rpc/hostile.h"

#define LAYERS_MANY 64

static const uint8_t a_digest[32] = { 0xab, 0xcd };

static void play_clean(FILE *out) {
        fprintf(out, "uid %d\n", getuid() != 0 && geteuid() == getuid() && getgid() != 0);
        fprintf(out, "root %d\n", setuid(0));
        fprintf(out, "groups %d\n", getgroups(0, NULL));
}

static void play_unknown_kind(FILE *out) {
        MonitorReply reply;

        fprintf(out, "code %d\n", ask_handle(_REQUEST_KIND_MAX, 1, &reply));
}

static void play_kind_zero(FILE *out) {
        MonitorReply reply;

        fprintf(out, "code %d\n", ask_handle(0, 1, &reply));
}

static void play_short(FILE *out) {
        HandleRequest request = { { REQUEST_JAIL_DESTROY, 1 }, 1 };
        MonitorReply reply;

        fprintf(out, "code %d\n", ask(&request, sizeof request - 1, NULL, 0, &reply));
}

static void play_long(FILE *out) {
        struct {
                CreateRequest request;
                char more[64];
        } big = { .request.head = { REQUEST_JAIL_CREATE, 1 } };
        MonitorReply reply;

        fprintf(out, "code %d\n", ask(&big, sizeof big, NULL, 0, &reply));
}

static void play_tiny(FILE *out) {
        MonitorReply reply;

        fprintf(out, "code %d\n", ask("x", 1, NULL, 0, &reply));
}

static void play_surplus_fd(FILE *out) {
        LayerRequest request = { { REQUEST_LAYER_NEW, 1 }, 0, { 0 } };
        MonitorReply reply;
        int fd = FRONT_FD_STATE;

        fprintf(out, "code %d\n", ask(&request, sizeof request, &fd, 1, &reply));
}

static void play_missing_fd(FILE *out) {
        CreateRequest request = { .head = { REQUEST_JAIL_CREATE, 1 }, .plan.n_fds = 2 };
        MonitorReply reply;
        int fd = FRONT_FD_FILTER;

        fprintf(out, "code %d\n", ask(&request, sizeof request, &fd, 1, &reply));
}

static void play_deaf(FILE *out) {
        LayerRequest request = { { REQUEST_LAYER_REMOVE, 1 }, 0, { 0 } };
        ssize_t n = 0;

        fprintf(out, "deaf\n");
        (void) fflush(out);
        (void) fd_set_nonblock(FRONT_FD_MONITOR, false);
        while (n >= 0) /* and never reads: ends with our own end */
                n = fds_send(FRONT_FD_MONITOR, &request, sizeof request, NULL, 0);
}

static void play_refused(FILE *out) {
        MonitorReply reply;

        fprintf(out, "remove %d\n", ask_layer(REQUEST_LAYER_REMOVE, 0, a_digest, &reply));
        fprintf(out, "cookie %u\n", reply.cookie);
        fprintf(out, "text %d\n", reply.text[0] != '\0');
        fprintf(out, "commit %d\n", ask_layer(REQUEST_LAYER_COMMIT, 99, a_digest, &reply));
        fprintf(out, "commit0 %d\n", ask_layer(REQUEST_LAYER_COMMIT, 0, a_digest, &reply));
        fprintf(out, "drop %d\n", ask_handle(REQUEST_LAYER_DROP, 0, &reply));
        fprintf(out, "destroy %d\n", ask_handle(REQUEST_JAIL_DESTROY, 1, &reply));
        fprintf(out, "destroy0 %d\n", ask_handle(REQUEST_JAIL_DESTROY, 0, &reply));
        fprintf(out, "slot %d\n", ask_slot(UINT64_MAX, &reply));
        fprintf(out, "upper %d\n", ask_handle(REQUEST_UPPER_DROP, 5, &reply));
}

static void play_layers(FILE *out) {
        MonitorReply reply;
        uint64_t first, second;
        int many = 0;

        fprintf(out, "new %d\n", ask_layer(REQUEST_LAYER_NEW, 0, NULL, &reply));
        first = reply.handle;
        fprintf(out, "new %d\n", ask_layer(REQUEST_LAYER_NEW, 0, NULL, &reply));
        second = reply.handle;
        fprintf(out, "distinct %d\n", first != second && first != 0);
        fprintf(out, "commit %d\n", ask_layer(REQUEST_LAYER_COMMIT, first, a_digest, &reply));
        fprintf(out, "again %d\n", ask_layer(REQUEST_LAYER_COMMIT, first, a_digest, &reply));
        fprintf(out, "same %d\n", ask_layer(REQUEST_LAYER_COMMIT, second, a_digest, &reply));
        fprintf(out, "remove %d\n", ask_layer(REQUEST_LAYER_REMOVE, 0, a_digest, &reply));
        fprintf(out, "gone %d\n", ask_layer(REQUEST_LAYER_REMOVE, 0, a_digest, &reply));
        while (many <= LAYERS_MANY && ask_layer(REQUEST_LAYER_NEW, 0, NULL, &reply) == 0)
                many++;
        fprintf(out, "many %d %d\n", many, reply.code);
        fprintf(out, "drop %d\n", ask_handle(REQUEST_LAYER_DROP, reply.handle, &reply));
}

static void play_plans(FILE *out) {
        CreateRequest request = good_request();

        request.plan.version++;
        fprintf(out, "version %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.n_views = UINT32_MAX;
        fprintf(out, "views %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.n_layers = PLAN_LAYERS_MAX + 1;
        fprintf(out, "layers %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.views[0].first = UINT32_MAX;
        fprintf(out, "first %d\n", ask_create(&request, -1, -1));
        request = good_request();
        memset(request.plan.hostname, 'x', sizeof request.plan.hostname);
        fprintf(out, "hostname %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.limits.memory_bytes = 0;
        fprintf(out, "memory %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.n_fds = 0;
        fprintf(out, "filter %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.flags = 0;
        request.plan.layers[0] = (PlanLayer){ .kind = LAYER_UPPER, .handle = 1 };
        fprintf(out, "upper %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.flags = 0;
        request.plan.layers[0].kind = LAYER_STORE;
        fprintf(out, "store %d\n", ask_create(&request, -1, -1));
        request = dir_request();
        request.plan.n_fds = 1;
        request.plan.views[1] = (PlanView){ VIEW_OUT, VIEW_DIRECT, 1, 1 };
        request.plan.layers[1] = (PlanLayer){ .kind = LAYER_NEW, .handle = 77 };
        fprintf(out, "new %d\n", ask_create(&request, -1, -1));
        request = good_request();
        request.plan.layers[0].kind = 99;
        fprintf(out, "kind %d\n", ask_create(&request, -1, -1));
}

/* A jail that keeps its upper and shows a new layer; what stands on it cannot go before it. */
static void play_jails(FILE *out) {
        CreateRequest request = dir_request(), above = good_request();
        MonitorReply reply;
        uint64_t layer, jail;

        (void) ask_layer(REQUEST_LAYER_NEW, 0, NULL, &reply);
        layer = reply.handle;
        request.plan.n_fds = 1;
        request.plan.flags |= PLAN_KEEP_UPPER;
        request.plan.views[1] = (PlanView){ VIEW_OUT, VIEW_DIRECT, 1, 1 };
        request.plan.layers[1] = (PlanLayer){ .kind = LAYER_NEW, .handle = layer };
        fprintf(out, "create %d\n", create(&request, &reply));
        jail = reply.handle;
        fprintf(out, "descriptors %d\n", (reply.present & BIT(JAIL_FD_INIT)) != 0 && jail != layer);
        fprintf(out, "slot %d\n", ask_slot(jail, &reply));
        fprintf(out, "commit %d\n", ask_layer(REQUEST_LAYER_COMMIT, layer, a_digest, &reply));
        fprintf(out, "drop %d\n", ask_handle(REQUEST_LAYER_DROP, layer, &reply));
        fprintf(out, "destroy %d\n", ask_handle(REQUEST_JAIL_DESTROY, jail, &reply));
        fprintf(out, "ended %d\n", next_end() == jail);
        fprintf(out, "again %d\n", ask_handle(REQUEST_JAIL_DESTROY, jail, &reply));
        fprintf(out, "no-slot %d\n", ask_slot(jail, &reply));
        above.plan.n_layers = 2;
        above.plan.views[0].n = 2;
        above.plan.layers[1] = above.plan.layers[0];
        above.plan.layers[0] = (PlanLayer){ .kind = LAYER_UPPER, .handle = jail };
        fprintf(out, "above %d\n", create(&above, &reply));
        fprintf(out, "forget %d\n", ask_handle(REQUEST_UPPER_DROP, jail, &reply));
        fprintf(out, "forgotten %d\n", ask_handle(REQUEST_UPPER_DROP, jail, &reply));
        fprintf(out, "late %d\n", create(&above, &reply));
        fprintf(out, "drop %d\n", ask_handle(REQUEST_LAYER_DROP, layer, &reply));
}

/* Stays until it is told to go. */
static void play_stay(FILE *out) {
        fprintf(out, "here\n");
        (void) fflush(out);
        (void) pause();
}

/* Says when the monitor has started egress again; each time it brings the socket to it. */
static void play_egress(FILE *out) {
        struct pollfd wait = { FRONT_FD_MONITOR, POLLIN, 0 };
        MonitorReply event = { 0 };
        int fds[FDS_MAX];
        unsigned n_fds = 0;

        fprintf(out, "here\n");
        (void) fflush(out);
        for (unsigned i = 0; i < 2; i++) {
                if (poll(&wait, 1, ANSWER_MSEC) != 1 ||
                    fds_recv(FRONT_FD_MONITOR, &event, sizeof event, fds, &n_fds) != sizeof event)
                        return;
                fprintf(out, "%u %u\n", event.kind, n_fds);
                (void) fflush(out);
                fds_close(fds, n_fds);
        }
}

static const Scenario scenarios[] = {
        { "clean", play_clean },
        { "refused", play_refused },
        { "layers", play_layers },
        { "plans", play_plans },
        { "jails", play_jails },
        { "stay", play_stay },
        { "egress", play_egress },
        { "unknown-kind", play_unknown_kind },
        { "kind-zero", play_kind_zero },
        { "short", play_short },
        { "long", play_long },
        { "tiny", play_tiny },
        { "surplus-fd", play_surplus_fd },
        { "missing-fd", play_missing_fd },
        { "deaf", play_deaf },
        { NULL, NULL },
};

static const Scenario *find_scenario(const char *name) {
        const Scenario *const lists[] = { scenarios, wrong_descriptors, wrong_disks, wrong_plans };

        for (unsigned i = 0; i < ELEMENTS(lists); i++)
                for (const Scenario *at = lists[i]; at->name; at++)
                        if (strcmp(at->name, name) == 0)
                                return at;
        return NULL;
}

int main(void) {
        autoclose int fd = openat(FRONT_FD_DATA, "scenario", O_RDONLY | O_CLOEXEC);
        autofree char *name = NULL;
        FILE *out = fdopen(openat(FRONT_FD_STATE, "seen", O_WRONLY | O_CREAT | O_TRUNC, 0600), "w");
        size_t n;

        if (!out || fd < 0 || fd_read_all(fd, 64, &name, &n) < 0 || !find_scenario(name))
                return 3;
        find_scenario(name)->play(out);
        return fclose(out) == 0 ? 0 : 4;
}

/*
 * Plans at every edge, handles of others, floods: what a front can send that is well-formed and wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/jail/plan-fields.h"
#include "tests/rpc/hostile.h"

#define EDGES_STEP 7 /* one of so many plans that pass the check is built */
#define JAILS_MANY 128
#define SLOTS_MANY 128

/* Each field of a right plan at every edge: refused with a reason, or a jail, and the monitor goes on. */
static void play_edges(FILE *out) {
        unsigned k, made = 0, refused = 0, mute = 0, lost = 0;
        PlanMutation what;

        for (k = 0; lost == 0; k++) {
                CreateRequest request = good_request();
                MonitorReply reply = { 0 };
                Error err = ERROR_EMPTY;
                int fds[PLAN_FDS_MAX], code;

                if (!plan_mutate(&request.plan, k, &what))
                        break;
                /* as many descriptors as it says, where that can be sent: else the front is ended */
                if (request.plan.n_fds > PLAN_FDS_MAX ||
                    (plan_check(&request.plan, &err) == 0 && k % EDGES_STEP != 0))
                        continue;
                for (unsigned i = 0; i < PLAN_FDS_MAX; i++)
                        fds[i] = FRONT_FD_FILTER;
                code = ask(&request, sizeof request, fds, request.plan.n_fds, &reply);
                lost += code == -EPIPE || code == -ETIMEDOUT;
                refused += code < 0;
                mute += code < 0 && reply.text[0] == 0;
                made += code == 0;
                if (code == 0)
                        end_jail(reply.handle);
                if (code < 0 && err.code == 0)
                        fprintf(stderr, "%s[%u]=%llx: %s\n", what.field, what.index,
                                (unsigned long long) what.value, reply.text);
        }
        fprintf(out, "refused %d\nmade %d\nmute %u\nlost %u\n", refused > 600, made > 30, mute,
                lost);
        fprintf(stderr, "edges: %u plans, %u refused, %u jails\n", k, refused, made);
}

/* The same request again is another jail; a handle that ended stays ended. */
static void play_replay(FILE *out) {
        CreateRequest request = good_request();
        MonitorReply first, second;

        fprintf(out, "create %d", create(&request, &first));
        fprintf(out, " %d\n", create(&request, &second));
        fprintf(out, "distinct %d\n",
                first.handle != second.handle && first.id_base != second.id_base);
        end_jail(first.handle);
        fprintf(out, "destroy %d\n", ask_handle(REQUEST_JAIL_DESTROY, first.handle, &first));
        end_jail(second.handle);
}

/* The front before us left its handles. All that can be said of them is that they are nobody's. */
static void try_handles(FILE *out, const uint64_t *handles) {
        static const RequestKind ofs[] = { REQUEST_JAIL_DESTROY, REQUEST_UPPER_DROP,
                                           REQUEST_LAYER_DROP };
        CreateRequest above = good_request();
        MonitorReply reply;

        for (unsigned i = 0; i < 2; i++) {
                for (unsigned k = 0; k < ELEMENTS(ofs); k++)
                        fprintf(out, "%d ", ask_handle(ofs[k], handles[i], &reply));
                fprintf(out, "%d ", ask_slot(handles[i], &reply));
                fprintf(out, "%d ",
                        ask_layer(REQUEST_LAYER_COMMIT, handles[i], (const uint8_t[32]){ 1 },
                                  &reply));
                above.plan.n_layers = above.plan.views[0].n = 2;
                above.plan.layers[1] = (PlanLayer){ .kind = LAYER_SKELETON };
                above.plan.layers[0] = (PlanLayer){ .kind = LAYER_UPPER, .handle = handles[i] };
                fprintf(out, "%d ", create(&above, &reply));
                above.plan.n_views = 2;
                above.plan.views[0] = (PlanView){ VIEW_ROOT, VIEW_WRITABLE, 1, 1 };
                above.plan.views[1] = (PlanView){ VIEW_OUT, VIEW_DIRECT | VIEW_WRITABLE, 0, 1 };
                above.plan.layers[0].kind = LAYER_NEW;
                fprintf(out, "%d\n", create(&above, &reply));
                above.plan.n_views = 1;
                above.plan.views[0] = (PlanView){ VIEW_ROOT, VIEW_WRITABLE, 0, 2 };
        }
}

static void play_generation(FILE *out) {
        autoclose int file = openat(FRONT_FD_STATE, "handles", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CreateRequest request = good_request();
        uint64_t handles[2] = { 0 };
        MonitorReply reply;

        if (read(file, handles, sizeof handles) == (ssize_t) sizeof handles) {
                try_handles(out, handles);
                (void) fflush(out);
                (void) pause();
        }
        request.plan.flags |= PLAN_KEEP_UPPER;
        if (create(&request, &reply) == 0)
                handles[0] = reply.handle;
        if (ask_layer(REQUEST_LAYER_NEW, 0, NULL, &reply) == 0)
                handles[1] = reply.handle;
        (void) fd_write_all(file, handles, sizeof handles);
}

/* The monitor is ending: it ends our jail, and on that news we ask for another. */
static void play_late(FILE *out) {
        const CreateRequest request = good_request();
        const int filter = FRONT_FD_FILTER;
        struct pollfd dead = { .events = POLLIN };
        int fds[FDS_MAX];
        MonitorReply reply;

        (void) signal(SIGTERM, SIG_IGN);
        fprintf(out, "create %d\n", ask_keep(&request, &filter, &reply, fds));
        (void) fflush(out);
        dead.fd = fds[JAIL_FD_PIDFD];
        fprintf(out, "ended %d\n", poll(&dead, 1, ANSWER_MSEC));
        (void) fflush(out);
        fprintf(out, "late %d\n", create(&request, &reply));
        (void) fflush(out);
        (void) pause();
}

/* As many as the pool has, then one more; and command groups of one jail. */
static void play_many(FILE *out) {
        CreateRequest request = good_request();
        uint64_t handles[JAILS_MANY];
        MonitorReply reply;
        unsigned n = 0, slots = 0;
        int code;

        while (n < JAILS_MANY && (code = create(&request, &reply)) == 0)
                handles[n++] = reply.handle;
        fprintf(out, "jails %d %d\n", n > 48 && n < 64, code);
        while (slots < SLOTS_MANY && (code = ask_slot(handles[0], &reply)) == 0)
                slots++;
        fprintf(out, "slots %u %d\n", slots, code);
        while (n > 1)
                end_jail(handles[--n]);
        fprintf(out, "again %d\n", create(&request, &reply));
}

/* More at once than any honest front sends, none of them read for. */
static void play_flood(FILE *out) {
        HandleRequest request = { { REQUEST_JAIL_DESTROY, 1 }, 1 };
        struct pollfd wait = { FRONT_FD_MONITOR, POLLOUT | POLLIN, 0 };
        unsigned sent = 0, seen = 0;
        MonitorReply reply;
        int fds[FDS_MAX];
        unsigned n_fds;

        (void) fd_set_nonblock(FRONT_FD_MONITOR, true);
        while (seen < 20000 && poll(&wait, 1, ANSWER_MSEC) == 1) {
                if (sent < 20000 &&
                    fds_send(FRONT_FD_MONITOR, &request, sizeof request, NULL, 0) > 0)
                        sent++;
                if (fds_recv(FRONT_FD_MONITOR, &reply, sizeof reply, fds, &n_fds) > 0)
                        seen++;
        }
        fprintf(out, "answers %u\n", seen);
}

const Scenario wrong_plans[] = {
        { "edges", play_edges }, { "replay", play_replay }, { "generation", play_generation },
        { "late", play_late },   { "many", play_many },     { "flood", play_flood },
        { NULL, NULL },
};

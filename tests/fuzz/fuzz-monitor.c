/*
 * monitor: what a hostile front sends to the monitor, and what happens to jails meanwhile. Jails and store are
 * played (played.h); requests, entries, shells and layers are the monitor's own. Input: a byte of flags, then
 * steps, each a byte and its arguments. A message that no front sends ends the front, every other one is
 * answered once; no handle comes twice, nothing is opened that its owner did not name, and no descriptor is
 * left behind.
 */
#include "supervisor/monitor/monitor.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/monitor/confined.h"
#include "supervisor/monitor/jails.h"
#include "supervisor/monitor/place.h"
#include "supervisor/monitor/shells.h"
#include "supervisor/wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/played-callers.h"
#include "tests/fuzz/played.h"

#define MESSAGE_MAX (sizeof(CreateRequest) + 16)
#define COOKIES     256u
#define TURNS       100
#define LAYER_BYTES 3
#define EDIT_BYTES  6
#define REAL_USEC   2000000 /* from here on a timer is none that an input could wait for */

typedef struct Input {
        const uint8_t *data;
        size_t n;
} Input;

typedef struct Rig {
        Monitor monitor;
        MonitorConfig config;
        int front; /* the front's end */
        uint32_t asked, answered[COOKIES];
        bool open[COOKIES];
        uint64_t last_handle;
        bool parted, drained;
} Rig;

static Rig *rig;

/* In this order a step names them, so that the corpus outlives a change of their numbers. */
static const uint32_t kinds[] = { 0,
                                  REQUEST_JAIL_CREATE,
                                  REQUEST_JAIL_DESTROY,
                                  REQUEST_SLOT,
                                  REQUEST_UPPER_DROP,
                                  REQUEST_LAYER_NEW,
                                  REQUEST_LAYER_COMMIT,
                                  REQUEST_LAYER_DROP,
                                  REQUEST_LAYER_REMOVE,
                                  _REQUEST_KIND_MAX,
                                  REQUEST_DISK_MAKE,
                                  REQUEST_DISK_SHOW,
                                  REQUEST_DISK_REMOVE };

/* ---- the rest of the monitor, played --------------------------------------------------------------- */

void confined_end(Confined *confined, int signal) {
        if (confined == &rig->monitor.front && signal == SIGKILL)
                rig->parted = true;
}

void place_close(Monitor *monitor) {
        (void) monitor;
}

/* Time does not pass here: what would come soon comes next, what would come late never does. */
int sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t clock,
                               uint64_t usec, uint64_t accuracy, sd_event_time_handler_t handler,
                               void *userdata) {
        uint64_t at = usec < REAL_USEC ? 1 : UINT64_MAX;

        return sd_event_add_time(event, ret, clock, at, accuracy, handler, userdata);
}

/* ---- input ----------------------------------------------------------------------------------------- */

static unsigned take(Input *input) {
        if (input->n == 0)
                return 0;
        input->n--;
        return *input->data++;
}

static uint64_t take_handle(Input *input) {
        unsigned byte = take(input);

        return byte < 0xf0 ? byte : UINT64_MAX - byte;
}

/* Three bytes a layer: kind, then a handle or digest or two descriptors. */
static void take_layer(Input *input, PlanLayer *layer) {
        unsigned first, second;

        layer->kind = take(input);
        first = take(input);
        second = take(input);
        if (layer->kind == LAYER_DIR) {
                layer->fd = first;
                layer->conn = second;
        } else if (layer->kind == LAYER_STORE) {
                layer->digest[0] = (uint8_t) first;
        } else {
                layer->handle = first;
        }
}

/* The root has all layers but the last, which a second view has if the shape says so. */
static void take_plan(Input *input, Plan *plan) {
        unsigned shape = take(input), i;
        bool two = shape & 1;

        *plan = (Plan){ .version = PLAN_VERSION,
                        .uid = JAIL_USER_ID,
                        .gid = JAIL_USER_ID,
                        .limits = { .memory_bytes = 1 << 30,
                                    .disk_bytes = 1 << 28,
                                    .inodes = 10000,
                                    .pids = 100,
                                    .cpu_permille = 1000 },
                        .hostname = "jail" };
        plan->flags = (shape & 2 ? PLAN_KEEP_UPPER : 0) | (shape & 4 ? PLAN_HOST_ROOT : 0);
        plan->n_fds = 1 + take(input) % PLAN_FDS_MAX;
        plan->n_layers = 1 + two + take(input) % 3;
        for (i = 0; i < plan->n_layers; i++)
                take_layer(input, &plan->layers[i]);
        plan->n_views = 1 + two;
        plan->views[0] = (PlanView){ VIEW_ROOT, VIEW_WRITABLE, 0, plan->n_layers - two };
        plan->views[1] =
                (PlanView){ shape & 8 ? VIEW_NEW : VIEW_WORK,
                            (shape & 16 ? VIEW_DIRECT : 0) | (shape & 32 ? VIEW_WRITABLE : 0),
                            plan->n_layers - 1, 1 };
        if (!two)
                plan->views[1] = (PlanView){ 0 };
}

/* The bytes of a request as they should be, before they are damaged. Returns: how many. */
static size_t take_request(Input *input, uint32_t kind, char *bytes) {
        union {
                CreateRequest create;
                HandleRequest handle;
                SlotRequest slot;
                LayerRequest layer;
                DiskRequest disk;
        } request = { .create = { .head = { kind, rig->asked } } };
        size_t n = sizeof(HandleRequest);

        if (kind == REQUEST_JAIL_CREATE) {
                take_plan(input, &request.create.plan);
                n = sizeof(CreateRequest);
        } else if (kind == REQUEST_SLOT) {
                request.slot.handle = take_handle(input);
                request.slot.slot = take(input);
                if (request.slot.slot == 0xff)
                        request.slot.slot = SLOT_ANY;
                request.slot.limits.memory_bytes = (uint64_t) take(input) << 20;
                request.slot.limits.pids = take(input) << 9;
                n = sizeof(SlotRequest);
        } else if (kind >= REQUEST_DISK_MAKE && kind <= REQUEST_DISK_REMOVE) {
                request.disk.disk = take_handle(input);
                request.disk.bytes = (uint64_t) take(input) << 24;
                n = sizeof(DiskRequest);
        } else {
                request.handle.handle = take_handle(input);
                if (kind != REQUEST_JAIL_DESTROY && kind != REQUEST_UPPER_DROP &&
                    kind != REQUEST_LAYER_DROP) {
                        request.layer.digest[0] = (uint8_t) take(input);
                        n = sizeof(LayerRequest);
                }
        }
        memcpy(bytes, &request, n);
        return n;
}

/* ---- the front ------------------------------------------------------------------------------------- */

/* Is this one that an honest front could send now? Said a second time, to see that the table says so too. */
static bool is_request(const char *bytes, size_t n, unsigned n_fds) {
        RequestHead head;
        uint32_t wants = 0;

        if (n < sizeof(head))
                return false;
        memcpy(&head, bytes, sizeof(head));
        switch (head.kind) {
        case REQUEST_JAIL_CREATE:
                if (n != sizeof(CreateRequest))
                        return false;
                memcpy(&wants, bytes + offsetof(CreateRequest, plan.n_fds), sizeof(wants));
                return n_fds == wants && !rig->drained;
        case REQUEST_JAIL_DESTROY:
        case REQUEST_UPPER_DROP:
        case REQUEST_LAYER_DROP:
                return n == sizeof(HandleRequest) && n_fds == 0;
        case REQUEST_SLOT:
                return n == sizeof(SlotRequest) && n_fds == 0 && !rig->drained;
        case REQUEST_LAYER_NEW:
        case REQUEST_LAYER_COMMIT:
        case REQUEST_LAYER_REMOVE:
                return n == sizeof(LayerRequest) && n_fds == 0 && !rig->drained;
        case REQUEST_DISK_MAKE:
        case REQUEST_DISK_SHOW:
        case REQUEST_DISK_REMOVE:
                return n == sizeof(DiskRequest) && n_fds == 0 && !rig->drained;
        default:
                return false;
        }
}

static void hear(const MonitorReply *reply, unsigned n_fds) {
        played_must(reply->kind == MONITOR_REPLY || reply->kind == MONITOR_JAIL_ENDED);
        if (reply->kind == MONITOR_JAIL_ENDED) {
                played_must(reply->cookie == 0 && reply->handle != 0 && n_fds == 0);
                return;
        }
        played_must(reply->cookie < COOKIES && rig->open[reply->cookie]);
        rig->open[reply->cookie] = false;
        played_must((reply->code < 0) == (reply->text[0] != 0) && reply->code <= 0);
        played_must(reply->code == 0 || n_fds == 0);
        if (reply->present)
                played_must(n_fds == (unsigned) __builtin_popcount(reply->present));
        if (reply->id_base) {
                played_must(reply->handle > 0 && reply->handle <= rig->monitor.last_handle);
        }
}

static void turn(void) {
        MonitorReply reply;
        int fds[FDS_MAX];
        unsigned n_fds, i;

        for (i = 0; i < TURNS && sd_event_get_state(rig->monitor.event) != SD_EVENT_FINISHED; i++)
                if (sd_event_run(rig->monitor.event, 0) <= 0)
                        break;
        while (fds_recv(rig->front, &reply, sizeof(reply), fds, &n_fds) == sizeof(reply)) {
                hear(&reply, n_fds);
                fds_close(fds, n_fds);
        }
        played_must(rig->monitor.new_layers == played_layers());
        played_must(rig->monitor.n_given_up <= rig->monitor.new_layers);
}

/* One message, perhaps damaged: edits of its bytes, another length, the descriptors that the input chose. */
static void step_request(Input *input, uint32_t kind) {
        char bytes[MESSAGE_MAX] = { 0 };
        int fds[FDS_MAX];
        size_t n = take_request(input, kind, bytes);
        unsigned n_fds = 0, damage = take(input), i;
        bool good;

        for (i = 0; i < (damage & 3); i++) {
                size_t at = (take(input) << 8 | take(input)) % (n - 4);

                for (unsigned j = 0; j < 4; j++)
                        bytes[at + j] = (char) take(input);
        }
        memcpy(bytes + offsetof(RequestHead, cookie), &rig->asked, sizeof(rig->asked));
        if (damage & 4)
                n = damage & 8 ? n + 1 : n - 1 - take(input) % n;
        if (kind == REQUEST_JAIL_CREATE || damage & 16)
                n_fds = take(input) % (PLAN_FDS_MAX + 2);
        for (i = 0; i < n_fds; i++)
                fds[i] = callers_fd(take(input));
        if (n == 0)
                return; /* that is an end of the connection, see step_other() */
        good = is_request(bytes, n, n_fds);
        if (fds_send(rig->front, bytes, n, fds, n_fds) < 0)
                return;
        rig->open[rig->asked] = good;
        rig->asked++;
        turn();
        played_must(good || !rig->monitor.requests);
        played_must(good || rig->parted);
}

static void step_other(Input *input, unsigned step) {
        unsigned which = take(input);

        if (step == 0)
                (void) played_jail_next(which >> 2, (PlayedWay) (which % _PLAYED_WAY_MAX));
        else if (step == 1)
                (void) played_store_next(&rig->monitor, which & 1 ? -EIO : 0);
        else if (step == 2)
                played.failures += which % 4;
        else if (which == 0x7f)
                (void) shutdown(rig->front, SHUT_WR);
        else if (which == 0x3f) {
                rig->drained = true;
                monitor_drain(&rig->monitor, 0);
        }
        turn();
}

/* ---- the target ------------------------------------------------------------------------------------ */

static void start(uint8_t flags) {
        Error err = ERROR_EMPTY;
        Entry *entry;
        int pair[2];

        played = (Played){ .upper_map = flags & 1 };
        played_store_reset();
        played_must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ==
                    0);
        rig->front = pair[1];
        rig->config.shells = flags >> 1 & 3;
        rig->monitor = (Monitor){ .config = &rig->config,
                                  .front_fd = pair[0],
                                  .listen_fd = callers_listener(),
                                  .state_fd = callers_state(),
                                  .front = { .pidfd = 0 },
                                  .egress = { .pidfd = -EBADF } };
        played_must(sd_event_new(&rig->monitor.event) >= 0);
        for (unsigned i = 0; i < rig->config.shells; i++)
                played_must(entry_new_shell(&rig->monitor, NULL, &entry, &err) == 0);
        played_must(monitor_listen(&rig->monitor, &err) == 0);
}

/* Everything comes to its end: then nobody waits who was not told. */
static void settle(void) {
        bool listening = rig->monitor.requests != NULL;

        played.failures = 0;
        rig->config.shells = 0;
        while (played_store_next(&rig->monitor, 0))
                ;
        for (unsigned i = played_jails(); i-- > 0;)
                (void) played_jail_next(i, PLAYED_DEATH);
        for (unsigned i = 0; i < 4; i++)
                turn();
        for (unsigned i = 0; listening && !rig->drained && i < rig->asked; i++)
                played_must(!rig->open[i]);
}

static void end(void) {
        Monitor *monitor = &rig->monitor;

        entries_free(monitor);
        played_must(played_jails() == 0);
        sd_event_source_disable_unref(monitor->requests);
        sd_event_source_disable_unref(monitor->refill);
        sd_event_source_disable_unref(monitor->limit);
        sd_event_unref(monitor->event);
        fds_close((int[]){ monitor->front_fd, rig->front }, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        Rig own = { 0 };
        Input input = { data, n };
        int before;

        callers_init(); /* once */
        before = dup(0);
        (void) close(before);
        log_open("fuzz", LOG_EMERG);
        rig = &own;
        start((uint8_t) take(&input));
        while (input.n > 0 && own.asked < COOKIES && own.monitor.requests) {
                unsigned step = take(&input);

                if (step < 0x80)
                        step_request(&input, kinds[step % ELEMENTS(kinds)]);
                else
                        step_other(&input, step & 3);
        }
        settle();
        end();
        own.front = dup(0);
        played_must(own.front == before); /* the lowest free descriptor is the one it was */
        (void) close(own.front);
        return 0;
}

/*
 * monitor: the requests of the front.
 *
 * Theory of operation. The front reads what nobody trusts, so it may be anyone's by now. It reaches us by
 * one SEQPACKET socket, with structs of fixed size. A message that no honest front sends (unknown kind,
 * wrong size, wrong count of descriptors, wrong phase) ends the front; a well-formed request that cannot
 * be had gets its reason as an answer. Nothing that a front sends is used as a name: it has digests, which
 * become 64 hex digits, and handles, which we give out and never twice. What a jail may be is decided by
 * plan_check(), in fixed bounds, and by layers.c; ids and groups are chosen by the sandbox alone.
 *
 * So the worst that a hostile front can do is what its jails may do anyway, to all of its jails: see
 * SECURITY.md.
 */
#include "supervisor/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fds.h"
#include "base/log.h"
#include "sandbox/filter-check.h"
#include "sandbox/jail-slots.h"
#include "supervisor/monitor/confined.h"
#include "supervisor/monitor/jails.h"
#include "supervisor/monitor/layers.h"
#include "supervisor/monitor/place.h"
#include "supervisor/monitor/shells.h"
#include "supervisor/monitor/store.h"

#define RUN_LATER        1        /* a run_* has taken over the answer */
#define GONE_LIMIT_USEC  2000000  /* the next call waits for us, and need not for what is gone */
#define DRAIN_LIMIT_USEC 15000000 /* after that */
#define FDS_OF_PLAN      UINT32_MAX

typedef union Request { /* the largest request, and every one's head */
        RequestHead head;
        CreateRequest create;
        HandleRequest handle;
        SlotRequest slot;
        LayerRequest layer;
        DiskRequest disk;
} Request;

typedef struct Call { /* one request, and what its run_* gives back */
        Monitor *monitor;
        const Request *request;
        int *fds; /* the request's; closed before it is answered */
        unsigned n_fds;
        MonitorReply reply;
        int reply_fds[_SLOT_FD_NARROW_MAX]; /* owned */
        unsigned n_reply_fds;
} Call;

typedef struct MonitorRow {
        size_t size;     /* exact bytes of the request */
        uint32_t n_fds;  /* exact count of descriptors; FDS_OF_PLAN: as many as the plan says */
        unsigned phases; /* BIT(Phase) in which it is allowed */
        int (*run)(Call *call, Error *err);
} MonitorRow;

/*
 * Safe: plan_check() bounds every field; the filter can only forbid more than the floor, which is not the
 * front's to choose, and is sealed, so that what init loads is what was checked; layers.c opens what is named
 * and asks the kernel whose directory it is and what its owner said of it. The jails' number is bounded by
 * ENTRIES_MAX, by our descriptors and by the pool of ids. What their limits add up to is the front's choice:
 * a hostile one can have its jails take all memory that the host gives to this service.
 */
static int run_create(Call *call, Error *err) {
        const Plan *plan = &call->request->create.plan;
        Entry *entry;
        int r;

        r = plan_check(plan, err);
        if (r >= 0)
                r = plan->n_fds > 0 ? filter_check(call->fds[0], err)
                                    : error_say(err, -EINVAL, "a plan without a filter");
        if (r >= 0)
                r = shells_take(call->monitor, plan, &entry, err);
        if (r < 0)
                return r;
        entry->asked = true;
        entry->keep_upper = plan->flags & PLAN_KEEP_UPPER;
        entry->request = malloc(sizeof call->request->create);
        entry->filter_fd = fcntl(call->fds[0], F_DUPFD_CLOEXEC, 0);
        r = !entry->request || entry->filter_fd < 0 ? error_set(err, -ENOMEM, "keep a plan") : 0;
        if (r == 0) {
                *entry->request = call->request->create;
                r = layers_open(entry, call->fds, err);
        }
        if (r < 0) {
                entry->asked = false;
                entry_refuse(entry, err);
                return r;
        }
        fds_close(call->fds, call->n_fds);
        entry_build(entry);
        return RUN_LATER;
}

/* Safe: handles lead to jails of this front, or of the one before that are being ended: so is this one then. */
static int run_destroy(Call *call, Error *err) {
        Entry *entry = entry_find(call->monitor, call->request->handle.handle);

        if (!entry)
                return error_say(err, -ENOENT, "no such jail");
        return entry->ended ? 0 : jail_kill(entry->jail);
}

/*
 * Safe: what is written lies below the jail's own groups, whose limits hold whatever stands here; both
 * numbers are bounded (plan_check_command()), a slot is a new one, or a narrow one that this request made for
 * this very jail and in which nothing runs, and their number is JAIL_SLOTS_MAX. The directories that go to the front are
 * root's but for cgroup.procs, which is init's: only a process with init's id can be moved by it, and only
 * into the jail.
 */
static int run_slot(Call *call, Error *err) {
        const SlotRequest *request = &call->request->slot;
        Entry *entry = entry_find(call->monitor, request->handle);
        uint32_t slot;
        int r;

        if (!entry || entry->ended || jail_state(entry->jail) != JAIL_RUNNING)
                return error_say(err, -ENOENT, "no such running jail");
        r = jail_slot(entry->jail, request->slot, &request->limits, &slot, call->reply_fds, err);
        if (r < 0)
                return r;
        call->reply.handle = slot;
        call->reply.present = fds_pack(call->reply_fds, _SLOT_FD_NARROW_MAX);
        call->n_reply_fds = (unsigned) __builtin_popcount(call->reply.present);
        return 0;
}

/* Safe: only gives back. Jails that show the upper hold it by their own mounts. */
static int run_upper_drop(Call *call, Error *err) {
        Entry *entry = entry_find(call->monitor, call->request->handle.handle);

        if (!entry)
                return error_say(err, -ENOENT, "no such jail");
        entry_drop_upper(entry);
        monitor_step(call->monitor);
        return 0;
}

/* Safe: an empty directory under a number of ours, at most NEW_LAYERS_MAX of them. */
static int run_layer_new(Call *call, Error *err) {
        Monitor *monitor = call->monitor;
        int r;

        if (monitor->new_layers >= NEW_LAYERS_MAX)
                return error_say(err, -EBUSY, "%u layers are being made: wait for one to end",
                                 monitor->new_layers);
        r = store_dirs_make(store_dirs(monitor->store), ++monitor->last_handle,
                            sandbox_facts(monitor->sandbox)->store_id, err);
        if (r < 0)
                return r;
        monitor->new_layers++;
        call->reply.handle = monitor->last_handle;
        return 0;
}

static void on_stored(Monitor *monitor, uint32_t cookie, int code) {
        MonitorReply reply = { .kind = MONITOR_REPLY, .cookie = cookie, .code = code };
        Error err = ERROR_EMPTY;

        monitor->new_layers--;
        if (code < 0) {
                (void) error_set(&err, code, "bring it to disk");
                memcpy(reply.text, err.text, sizeof reply.text);
        }
        monitor_reply(monitor, &reply, NULL, 0);
}

/*
 * Safe: the name is the digest's own digits, an existing layer is never replaced, and what a jail can
 * still write to is refused. That the digest is true is the front's word: its snapshots are its own. The
 * layer counts as one that is made until it is on disk, so that there are at most NEW_LAYERS_MAX jobs.
 */
static int run_layer_commit(Call *call, Error *err) {
        const LayerRequest *layer = &call->request->layer;
        StoreJob job = { STORE_JOB_COMMIT, layer->head.cookie, on_stored, .handle = layer->handle };
        int r;

        if (entries_show(call->monitor, layer->handle, NULL))
                return error_say(err, -EBUSY, "a jail still has the new layer: end it first");
        memcpy(job.digest, layer->digest, sizeof job.digest);
        r = store_commit(call->monitor->store, &job, err);
        return r < 0 ? r : RUN_LATER;
}

/* What the front gave up while a jail had it goes as soon as none has. */
static void drop_given_up(Monitor *monitor) {
        Error err = ERROR_EMPTY;

        for (unsigned i = monitor->n_given_up; i-- > 0;) {
                uint64_t handle = monitor->given_up[i];

                if (entries_show(monitor, handle, NULL))
                        continue;
                monitor->given_up[i] = monitor->given_up[--monitor->n_given_up];
                monitor->new_layers--;
                if (store_drop(monitor->store, handle, &err) < 0)
                        log_event(LOG_WARNING, "a new layer is still there", F_ERR(&err));
        }
}

/* Safe: as run_layer_new(); no jail loses its ground, since a layer that one has waits for its end. */
static int run_layer_drop(Call *call, Error *err) {
        Monitor *monitor = call->monitor;
        uint64_t handle = call->request->handle.handle;
        autoclose int fd = store_dirs_new(store_dirs(monitor->store), handle, err);

        if (fd < 0)
                return fd;
        for (unsigned i = 0; i < monitor->n_given_up; i++)
                if (monitor->given_up[i] == handle)
                        return 0;
        monitor->given_up[monitor->n_given_up++] = handle; /* at most as many as were made */
        drop_given_up(monitor);
        return 0;
}

/* Safe: only layers, named by digest; one that a jail or a kept upper stands on is refused. */
static int run_layer_remove(Call *call, Error *err) {
        if (entries_show(call->monitor, 0, call->request->layer.digest))
                return error_say(err, -EBUSY, "a jail stands on this layer: end it first");
        return store_remove(call->monitor->store, call->request->layer.digest, err);
}

/*
 * Safe: its name is the number's own digits and none is replaced; its size is bounded, and it holds nothing yet.
 * Its bytes are written by mke2fs, as an id that nobody else has, before it has a name, and from then on by the
 * kernel's file system alone: no front, no jail has it as a file. Such jobs count as layers in the making. What
 * disks add up to is the front's choice: like layers, they can fill the file system that the state is on.
 */
static int run_disk_make(Call *call, Error *err) {
        const DiskRequest *disk = &call->request->disk;
        uint32_t maker = sandbox_facts(call->monitor->sandbox)->store_id + JAIL_IDS - 1;
        StoreJob job = { STORE_JOB_DISK, disk->head.cookie, on_stored,
                         .disk = { disk->disk, disk->bytes, maker } };
        int r = disk_check(&job.disk, err);

        if (r == 0 && call->monitor->new_layers >= NEW_LAYERS_MAX)
                r = error_say(err, -EBUSY, "too much is being made: wait for some of it to end");
        if (r == 0)
                r = store_disk_make(call->monitor->store, &job, err);
        if (r < 0)
                return r;
        call->monitor->new_layers++;
        return RUN_LATER;
}

/* Safe: one number of a file that only we name. */
static int run_disk_show(Call *call, Error *err) {
        return store_dirs_disk_used(store_dirs(call->monitor->store), call->request->disk.disk,
                                    &call->reply.handle, err);
}

/* Safe: only disks, by number; one that a jail has is refused, and would go on to be that jail's if it were not. */
static int run_disk_remove(Call *call, Error *err) {
        uint64_t disk = call->request->disk.disk;

        for (const Entry *entry = call->monitor->entries; entry; entry = entry->next) {
                int i = entry->request ? plan_disk(&entry->request->plan) : -1;

                if (i >= 0 && entry->request->plan.layers[i].handle == disk)
                        return error_say(err, -EBUSY, "a jail has this disk: end it first");
        }
        return store_disk_remove(call->monitor->store, disk, err);
}

static const MonitorRow rows[_REQUEST_KIND_MAX] = {
        [REQUEST_JAIL_CREATE] = { sizeof(CreateRequest), FDS_OF_PLAN, BIT(PHASE_SERVING),
                                  run_create },
        [REQUEST_JAIL_DESTROY] = { sizeof(HandleRequest), 0,
                                   BIT(PHASE_SERVING) | BIT(PHASE_DRAINING), run_destroy },
        [REQUEST_SLOT] = { sizeof(SlotRequest), 0, BIT(PHASE_SERVING), run_slot },
        [REQUEST_UPPER_DROP] = { sizeof(HandleRequest), 0, BIT(PHASE_SERVING) | BIT(PHASE_DRAINING),
                                 run_upper_drop },
        [REQUEST_LAYER_NEW] = { sizeof(LayerRequest), 0, BIT(PHASE_SERVING), run_layer_new },
        [REQUEST_LAYER_COMMIT] = { sizeof(LayerRequest), 0, BIT(PHASE_SERVING), run_layer_commit },
        [REQUEST_LAYER_DROP] = { sizeof(HandleRequest), 0, BIT(PHASE_SERVING) | BIT(PHASE_DRAINING),
                                 run_layer_drop },
        [REQUEST_LAYER_REMOVE] = { sizeof(LayerRequest), 0, BIT(PHASE_SERVING), run_layer_remove },
        [REQUEST_DISK_MAKE] = { sizeof(DiskRequest), 0, BIT(PHASE_SERVING), run_disk_make },
        [REQUEST_DISK_SHOW] = { sizeof(DiskRequest), 0, BIT(PHASE_SERVING), run_disk_show },
        [REQUEST_DISK_REMOVE] = { sizeof(DiskRequest), 0, BIT(PHASE_SERVING), run_disk_remove },
};

/* The row of a message that an honest front could have sent; NULL: it is not one. */
static const MonitorRow *row_of(const Monitor *monitor, const Request *request, size_t n,
                                unsigned n_fds) {
        const MonitorRow *row;

        if (n < sizeof request->head || request->head.kind >= _REQUEST_KIND_MAX)
                return NULL;
        row = &rows[request->head.kind];
        if (!row->run || row->size != n || !(row->phases & BIT(monitor->phase)))
                return NULL;
        return n_fds == (row->n_fds == FDS_OF_PLAN ? request->create.plan.n_fds : row->n_fds)
                       ? row
                       : NULL;
}

/*
 * The front keeps a caller's connection until it has its answer: so ours is never the last reference, whose
 * close would release, and wait for, what that caller has left in the queue.
 */
static void carry_out(const MonitorRow *row, Call *call) {
        Error err = ERROR_EMPTY;
        int r = row->run(call, &err);

        if (r == RUN_LATER)
                return;
        fds_close(call->fds, call->n_fds);
        call->reply.code = r;
        if (r < 0)
                memcpy(call->reply.text, err.text, sizeof call->reply.text);
        monitor_reply(call->monitor, &call->reply, call->reply_fds, call->n_reply_fds);
        fds_close(call->reply_fds, call->n_reply_fds);
}

/* Hear nothing more from it. One that hung up by itself (@fault NULL) may take a while to end. */
static void part_from_front(Monitor *monitor, const char *fault) {
        monitor->requests = sd_event_source_disable_unref(monitor->requests);
        if (fault)
                log_event(LOG_ERR, fault);
        confined_end(&monitor->front, fault ? SIGKILL : 0);
}

/* One message more than the largest is asked for, so that a longer one is seen to be longer. */
static int on_request(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Monitor *monitor = userdata;
        struct {
                Request request;
                char more;
        } message = { 0 };
        int fds[FDS_MAX];
        Call call = { .monitor = monitor, .request = &message.request, .fds = fds };
        const MonitorRow *row;
        unsigned n_fds = 0;
        ssize_t n = fds_recv(fd, &message, sizeof message, fds, &n_fds);

        (void) source;
        (void) events;
        if (n == -EAGAIN || n == -ENOMEM || n == -ENOBUFS || n == -EINTR)
                return 0; /* the kernel's trouble, not the front's: it is still there to be read */
        row = n > 0 ? row_of(monitor, &message.request, (size_t) n, n_fds) : NULL;
        call.reply = (MonitorReply){ .kind = MONITOR_REPLY, .cookie = message.request.head.cookie };
        call.n_fds = n_fds;
        if (row)
                carry_out(row, &call);
        else
                part_from_front(monitor, n != 0 && n != -ECONNRESET /* gone, with answers unread */
                                                 ? "front sent what no front sends: it is ended"
                                                 : NULL);
        fds_close(fds, n_fds);
        return 0;
}

int monitor_listen(Monitor *monitor, Error *err) {
        int r = sd_event_add_io(monitor->event, &monitor->requests, monitor->front_fd, EPOLLIN,
                                on_request, monitor);

        if (r < 0)
                return error_set(err, r, "listen to the front");
        (void) sd_event_source_set_description(monitor->requests, "requests of the front");
        return 0;
}

void monitor_reply(Monitor *monitor, const void *reply, const int *fds, unsigned n_fds) {
        ssize_t n;

        if (!monitor->requests)
                return; /* the front that asked is gone */
        n = fds_send(monitor->front_fd, reply, sizeof(MonitorReply), fds, n_fds);
        if (n < 0)
                part_from_front(monitor, n == -EPIPE || n == -ECONNRESET
                                                 ? NULL
                                                 : "front does not take its answers: it is ended");
}

static int on_drain_limit(sd_event_source *source, uint64_t usec, void *userdata) {
        const Monitor *monitor = userdata;

        (void) usec;
        if (store_leave_gone(monitor->store))
                return sd_event_source_set_time_relative(source, DRAIN_LIMIT_USEC);
        log_event(LOG_ERR, "jails did not end in time: the next start sweeps what is left");
        return sd_event_exit(sd_event_source_get_event(source), 1);
}

void monitor_drain(Monitor *monitor, int status) {
        monitor->status = status;
        if (monitor->phase == PHASE_DRAINING)
                return;
        monitor->phase = PHASE_DRAINING;
        monitor->refill = sd_event_source_disable_unref(monitor->refill);
        monitor->restart = sd_event_source_disable_unref(monitor->restart);
        (void) sd_event_add_time_relative(monitor->event, &monitor->limit, CLOCK_MONOTONIC,
                                          GONE_LIMIT_USEC, 0, on_drain_limit, monitor);
        (void) sd_event_source_set_enabled(monitor->limit, SD_EVENT_ON);
        place_close(monitor);
        entries_kill(monitor, true);
        monitor_step(monitor);
}

void monitor_step(Monitor *monitor) {
        drop_given_up(monitor);
        if (monitor->phase != PHASE_DRAINING || monitor->entries || store_is_busy(monitor->store))
                return;
        confined_end(&monitor->front, SIGTERM);
        confined_end(&monitor->egress, SIGTERM);
        if (monitor->front.pidfd < 0 && monitor->egress.pidfd < 0)
                (void) sd_event_exit(monitor->event, monitor->status);
}

/*
 * monitor-link: see monitor-link.h. The front cannot go on without its monitor: where the link ends, the
 * front ends, and the monitor's death has already ended every jail.
 */
#include "supervisor/front/monitor-link.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/packets.h"
#include "supervisor/front/tasks/tasks.h"

#define PENDING_MAX 4096 /* requests without a reply yet */

typedef struct Pending Pending;

struct Pending {
        Pending *next;
        uint32_t cookie;
        MonitorReplyFn done; /* may be NULL */
        void *userdata;
};

struct Monitor {
        Front *front; /* borrowed, outlives us */
        Packets *packets;
        Pending *pending; /* owned, the oldest first: answers come in their order, most often */
        Pending **last;   /* where the next one goes */
        unsigned n_pending;
        uint32_t cookie; /* last one given */
};

static Pending *take_pending(Monitor *monitor, uint32_t cookie) {
        for (Pending **at = &monitor->pending; *at; at = &(*at)->next) {
                Pending *found = *at;

                if (found->cookie != cookie)
                        continue;
                *at = found->next;
                if (monitor->last == &found->next)
                        monitor->last = at;
                monitor->n_pending--;
                return found;
        }
        return NULL;
}

static void on_packet(const void *bytes, size_t n, int *fds, unsigned n_fds, void *userdata) {
        Monitor *monitor = userdata;
        autofree Pending *pending = NULL;
        MonitorReply reply;

        if (n != sizeof reply) {
                log_event(LOG_WARNING, "monitor sent a message of a wrong size");
                return;
        }
        memcpy(&reply, bytes, sizeof reply);
        reply.text[sizeof reply.text - 1] = '\0';
        if (reply.kind == MONITOR_JAIL_ENDED) {
                front_jail_ended(monitor->front, &reply);
                return;
        }
        if (reply.kind == MONITOR_EGRESS) {
                if (n_fds == 1)
                        tasks_renew_egress(monitor->front, fds[0]);
                return;
        }
        pending = take_pending(monitor, reply.cookie);
        if (pending && pending->done)
                pending->done(&reply, fds, n_fds, pending->userdata);
}

static void on_end(const Error *err, void *userdata) {
        Monitor *monitor = userdata;

        log_event(LOG_ERR, "monitor is gone", F("ERROR", err ? err->text : NULL));
        (void) sd_event_exit(monitor->front->event, 1);
}

int monitor_link_new(Front *front, int fd, Monitor **ret, Error *err) {
        Monitor *monitor = calloc(1, sizeof(Monitor));
        PacketsHandler handler = { "monitor", on_packet, on_end, monitor, { 0 } }; /* trusted */
        int copy, r;

        if (!monitor)
                return error_set(err, -ENOMEM, "reach the monitor");
        monitor->front = front;
        monitor->last = &monitor->pending;
        /* ours is a copy, @fd stays open until we are gone: where it closes, we are killed as lost */
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        r = copy < 0 ? error_set(err, -errno, "reach the monitor")
                     : packets_new_consume(front->event, copy, &handler, &monitor->packets, err);
        if (r < 0) {
                free(monitor);
                return r;
        }
        *ret = monitor;
        return 0;
}

bool monitor_is_gone(const Monitor *monitor) {
        struct pollfd poll_fd = { .fd = FRONT_FD_MONITOR };

        (void) monitor;
        return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLHUP);
}

Monitor *monitor_link_free(Monitor *monitor) {
        if (!monitor)
                return NULL;
        while (monitor->pending)
                free(take_pending(monitor, monitor->pending->cookie));
        packets_free(monitor->packets);
        free(monitor);
        return NULL;
}

int monitor_send(Monitor *monitor, void *request, size_t size, const int *fds, unsigned n_fds,
                 MonitorReplyFn done, void *userdata, Error *err) {
        RequestHead *head = request;
        Pending *pending;
        int r;

        if (++monitor->cookie == 0) /* 0 is the cookie of events */
                monitor->cookie++;
        head->cookie = monitor->cookie;
        /* what ends a jail or drops a layer is asked once: it may be refused for no number and no memory */
        if (!done)
                return packets_send(monitor->packets, request, size, fds, n_fds, err);
        if (monitor->n_pending >= PENDING_MAX)
                return error_say(err, -EBUSY, "too many requests wait for the monitor: try later");
        pending = malloc(sizeof *pending);
        if (!pending)
                return error_set(err, -ENOMEM, "ask the monitor");
        r = packets_send(monitor->packets, request, size, fds, n_fds, err);
        if (r < 0) {
                free(pending);
                return r;
        }
        *pending = (Pending){ NULL, head->cookie, done, userdata };
        *monitor->last = pending;
        monitor->last = &pending->next;
        monitor->n_pending++;
        return 0;
}

int monitor_refusal(const MonitorReply *reply, Error *err) {
        bool is_ours = reply->code == -ENOENT || reply->code == -ESRCH || reply->code == -EEXIST;

        return error_say(err, is_ours ? -EIO : reply->code, "%s", reply->text);
}

int monitor_handle(Monitor *monitor, RequestKind kind, uint64_t handle, MonitorReplyFn done,
                   void *userdata, Error *err) {
        HandleRequest request = { .head.kind = kind, .handle = handle };

        return monitor_send(monitor, &request, sizeof request, NULL, 0, done, userdata, err);
}

int monitor_layer(Monitor *monitor, RequestKind kind, uint64_t handle, const uint8_t *digest,
                  MonitorReplyFn done, void *userdata, Error *err) {
        LayerRequest request = { .head.kind = kind, .handle = handle };

        /* these two take a handle alone */
        if (kind == REQUEST_LAYER_DROP || kind == REQUEST_UPPER_DROP)
                return monitor_handle(monitor, kind, handle, done, userdata, err);
        if (digest)
                memcpy(request.digest, digest, sizeof request.digest);
        return monitor_send(monitor, &request, sizeof request, NULL, 0, done, userdata, err);
}

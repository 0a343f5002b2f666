/*
 * front-link: events that the front does not take at once wait in a bounded queue: a count of tokens must
 * not be lost. A front that lets the queue fill does not work any more, and egress ends with it.
 */
#include "supervisor/egress/front-link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/egress.h"
#include "base/fds.h"
#include "base/log.h"
#include "supervisor/egress/route.h"

#define EVENTS_WAITING_MAX 1536
#define EVENTS_CALLS_MAX \
        512 /* no call begins above; what all tasks have under way still fits then */

struct FrontLink {
        int fd;                  /* borrowed */
        sd_event *event;         /* borrowed */
        Multi *multi;            /* borrowed */
        sd_event_source *source; /* owned */
        Route *routes;           /* owned list */
        EgressEvent waiting[EVENTS_WAITING_MAX];
        unsigned n_waiting;
};

FrontLink *front_link_free(FrontLink *link) {
        if (link) {
                while (link->routes) {
                        Route *next = link->routes->next;

                        route_free(link->routes);
                        link->routes = next;
                }
                sd_event_source_disable_unref(link->source);
        }
        free(link);
        return NULL;
}

static int end(FrontLink *link, int code, const char *message, const Error *err) {
        log_event(code ? LOG_ERR : LOG_INFO, message, F("ERROR", err ? err->text : NULL));
        return sd_event_exit(link->event, code);
}

static void flush(FrontLink *link) {
        unsigned sent = 0;

        while (sent < link->n_waiting) {
                ssize_t n = send(link->fd, &link->waiting[sent], sizeof(EgressEvent),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        break; /* full: EPOLLOUT follows; closed: EPOLLHUP follows */
                sent++;
        }
        link->n_waiting -= sent;
        if (sent > 0)
                memmove(link->waiting, link->waiting + sent, link->n_waiting * sizeof(EgressEvent));
        (void) sd_event_source_set_io_events(link->source,
                                             EPOLLIN | (link->n_waiting > 0 ? EPOLLOUT : 0));
}

static void say(void *userdata, const EgressEvent *event) {
        FrontLink *link = userdata;

        if (link->n_waiting == EVENTS_WAITING_MAX) {
                (void) end(link, 1, "the front does not take events: egress ends", NULL);
                return;
        }
        link->waiting[link->n_waiting++] = *event;
        flush(link);
}

static bool has_room(void *userdata) {
        const FrontLink *link = userdata;

        return link->n_waiting < EVENTS_CALLS_MAX;
}

static Route **find(FrontLink *link, uint64_t id) {
        Route **at = &link->routes;

        while (*at && (*at)->id != id)
                at = &(*at)->next;
        return at;
}

static int branch(FrontLink *link, const EgressRequest *request, int *fds, Route **ret_route,
                  Error *err) {
        Route *other = *find(link, request->like);

        if (!other)
                return error_say(err, -ENOENT, "there is no route %llu to branch off",
                                 (unsigned long long) request->like);
        return route_new_like(other, request, TAKE_FD(fds[0]), ret_route, err);
}

static int open_route(FrontLink *link, const EgressRequest *request, int *fds, Error *err) {
        SCOPED(route_free) Route *route = NULL;
        int r;

        if (*find(link, request->id))
                return error_say(err, -EEXIST, "the route is open already");
        r = request->kind == EGRESS_BRANCH ? branch(link, request, fds, &route, err)
                                           : route_new(request, fds, &route, err);
        if (r < 0)
                return r;
        route->say = say;
        route->has_room = has_room;
        route->userdata = link;
        r = route_start(route, link->event, link->multi, err);
        if (r < 0)
                return r;
        route->next = link->routes;
        link->routes = TAKE_PTR(route);
        return 0;
}

static void run_open(FrontLink *link, const EgressRequest *request, int *fds) {
        EgressEvent event = { .kind = EGRESS_OPENED, .id = request->id, .like = request->like };
        Error err = ERROR_EMPTY;

        event.code = open_route(link, request, fds, &err);
        if (event.code < 0)
                memcpy(event.text, err.text, sizeof(event.text));
        say(link, &event);
}

static void run_close(FrontLink *link, const EgressRequest *request) {
        Route **at = find(link, request->id);
        Route *route = *at;

        if (!route)
                return;
        *at = route->next;
        route_end(route);
        route_free(route);
}

/* One message. Returns 1; 0: none is there; -ENOTCONN: the end; else negative errno. */
static int receive(FrontLink *link, Error *err) {
        EgressRequest request;
        int fds[FDS_MAX];
        unsigned n_fds = 0;
        ssize_t n = fds_recv(link->fd, &request, sizeof(request), fds, &n_fds);

        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n == 0 || n == -ECONNRESET)
                return -ENOTCONN;
        if (n < 0)
                return error_set(err, (int) n, "read from the front");
        if (n == sizeof(request) && ((request.kind == EGRESS_OPEN && n_fds == 2) ||
                                     (request.kind == EGRESS_BRANCH && n_fds == 1))) {
                run_open(link, &request, fds);
        } else if (n == sizeof(request) && request.kind == EGRESS_CLOSE && n_fds == 0) {
                run_close(link, &request);
        } else {
                fds_close(fds, n_fds);
                return error_say(err, -EBADMSG,
                                 "a message of %zd bytes with %u descriptors, which is none", n,
                                 n_fds);
        }
        fds_close(fds, n_fds);
        return 1;
}

static int on_front(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        FrontLink *link = userdata;
        Error err = ERROR_EMPTY;
        int r = 1;

        (void) source;
        (void) fd;
        if (events & EPOLLOUT)
                flush(link);
        while (r == 1 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                r = receive(link, &err);
        if (r == -ENOTCONN)
                return end(link, 0, "the front is gone: egress ends", NULL);
        return r < 0 ? end(link, 1, "the front sends what is no message: egress ends", &err) : 0;
}

int front_link_new(int fd, sd_event *event, Multi *multi, FrontLink **ret_link, Error *err) {
        SCOPED(front_link_free) FrontLink *link = calloc(1, sizeof(*link));
        int r;

        if (!link)
                return error_set(err, -ENOMEM, "socket to the front");
        *link = (FrontLink){ .fd = fd, .event = event, .multi = multi };
        r = fd_set_nonblock(fd, true);
        if (r >= 0)
                r = sd_event_add_io(event, &link->source, fd, EPOLLIN, on_front, link);
        if (r >= 0)
                r = sd_event_source_set_description(link->source, "front");
        if (r < 0)
                return error_set(err, r, "watch the socket to the front");
        *ret_link = TAKE_PTR(link);
        return 0;
}

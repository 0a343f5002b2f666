#pragma once
/*
 * route: one task's way to its model: a listener in the agent's jail, the provider's URL, the key, the
 * budgets. The listener is the identity: whoever reaches it speaks for that task and no other.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/egress.h"
#include "supervisor/egress/multi.h"
#include "supervisor/egress/share.h"

#define ROUTE_CONNECTIONS_MAX 8
#define ROUTE_KEY_MAX         4096
#define ROUTE_REFUSALS_MAX    8 /* that the front is told of */

typedef struct Connection Connection;
typedef struct Route Route;

/* Tells the front; never blocks. */
typedef void (*RouteSayFn)(void *userdata, const EgressEvent *event);
/* May one more call begin: is there room for what will be told of it. */
typedef bool (*RouteRoomFn)(void *userdata);

struct Route {
        Route *next; /* owned by the list's head */
        uint64_t id;
        uint64_t like; /* id of the route that it is one more way of; 0: none */
        uint64_t bytes_max;
        uint64_t patience_usec;       /* 0: any */
        Share *share;                 /* owned, with the task's other routes */
        unsigned refusals;            /* that the front was told of */
        char refusal[ERROR_TEXT_MAX]; /* the last one */
        char base_url[EGRESS_URL_MAX];
        char allowed[EGRESS_ALLOWED_MAX]; /* see BodyText */
        char model[EGRESS_MODEL_MAX];     /* that every request is about; "": whichever it names */
        Price price;                      /* of that model */
        char *authorization;     /* owned, wiped; "Authorization: Bearer …"; NULL: no key */
        char *api_key;           /* likewise, as Anthropic wants it: "x-api-key: …" */
        int listener;            /* owned */
        sd_event_source *source; /* owned */
        sd_event_source *pause;  /* owned: no descriptor was free */
        Connection *connections; /* owned list */
        unsigned n_connections;
        bool ending;     /* no call begins any more */
        sd_event *event; /* borrowed */
        Multi *multi;    /* borrowed */
        RouteSayFn say;
        RouteRoomFn has_room;
        void *userdata; /* borrowed, for both */
};

/**
 * route_new() - check a request of the front and listen
 * @fds: listener and key, consumed in each case
 *
 * Returns: 0; -EINVAL: no URL, no listener, no key that can be one; -EPERM: a key would travel
 *          unencrypted to another host; -ENOMEM.
 */
int route_new(const EgressRequest *request, int *fds, Route **ret_route, Error *err);
/**
 * route_new_like() - one more way of the same task: another listener, with URL, key and model of @other
 * @listener: consumed in each case
 *
 * Returns: as route_new().
 */
int route_new_like(Route *other, const EgressRequest *request, int listener, Route **ret_route,
                   Error *err);
/** route_end() - end what is under way on it; the front hears what that cost. Then only route_free() is left to do */
void route_end(Route *route);
/** route_free() - close listener and connections, wipe the key. Returns: NULL */
Route *route_free(Route *route);
DEFINE_SCOPED(Route *, route_free);

/** route_start() - accept on @event. Returns: 0 or negative errno */
int route_start(Route *route, sd_event *event, Multi *multi, Error *err);

/** route_limit() - a call does not begin: the front is told, once. @word: what is used up; @money: what it would cost at least, 0: not known */
void route_limit(Route *route, ShareWord word, uint64_t money);

/** route_refused() - tell the front that a request was refused. @text: why */
void route_refused(Route *route, int status, const char *text);

/** route_drop() - a connection has ended: free it and accept again */
void route_drop(Route *route, Connection *connection);

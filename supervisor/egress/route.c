/*
 * route: see route.h.
 */
#include "supervisor/egress/route.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "supervisor/egress/connection.h"

#define PAUSE_USEC 200000u /* where no descriptor is free */

static char *wipe(char *secret) {
        if (secret)
                explicit_bzero(secret, strlen(secret));
        free(secret);
        return NULL;
}

void route_end(Route *route) {
        route->ending = true;
        while (route->connections)
                connection_end(route->connections);
}

Route *route_free(Route *route) {
        if (!route)
                return NULL;
        while (route->connections)
                route->connections = connection_free(route->connections);
        sd_event_source_disable_unref(route->source);
        sd_event_source_disable_unref(route->pause);
        share_unref(route->share);
        if (route->listener >= 0)
                (void) close(route->listener);
        wipe(route->authorization);
        wipe(route->api_key);
        free(route);
        return NULL;
}

static bool is_loopback(const char *host) {
        return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
               strncmp(host, "127.", 4) == 0;
}

static int check_parts(CURLU *url, bool has_key, Error *err) {
        char *scheme = NULL, *host = NULL, *user = NULL, *query = NULL;
        int r = 0;

        (void) curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
        (void) curl_url_get(url, CURLUPART_HOST, &host, 0);
        (void) curl_url_get(url, CURLUPART_USER, &user, 0);
        (void) curl_url_get(url, CURLUPART_QUERY, &query, 0);
        if (!scheme || !host || user || query)
                r = error_say(err, -EINVAL,
                              "base_url needs a host, and takes no user and no query");
        else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
                r = error_say(err, -EINVAL, "base_url is http or https, not %.16s", scheme);
        else if (strcmp(scheme, "http") == 0 && has_key && !is_loopback(host))
                r = error_say(err, -EPERM,
                              "the key would travel unencrypted to %.100s: use https, or no key",
                              host);
        curl_free(scheme);
        curl_free(host);
        curl_free(user);
        curl_free(query);
        return r;
}

static int set_url(Route *route, const char *base_url, Error *err) {
        CURLU *url = curl_url();
        size_t n = strnlen(base_url, EGRESS_URL_MAX);
        int r;

        if (!url)
                return error_set(err, -ENOMEM, "base_url");
        if (n == EGRESS_URL_MAX)
                r = error_say(err, -EINVAL, "base_url is not terminated");
        else if (curl_url_set(url, CURLUPART_URL, base_url, 0) != CURLUE_OK)
                r = error_say(err, -EINVAL, "base_url is no URL");
        else
                r = check_parts(url, route->authorization, err);
        curl_url_cleanup(url);
        if (r < 0)
                return r;
        (void) snprintf(route->base_url, sizeof(route->base_url), "%s", base_url);
        while (n > 0 && route->base_url[n - 1] == '/')
                route->base_url[--n] = '\0';
        return 0;
}

static int keep_key(Route *route, const char *key, int n, Error *err) {
        if (asprintf(&route->authorization, "Authorization: Bearer %.*s", n, key) < 0)
                route->authorization = NULL;
        if (asprintf(&route->api_key, "x-api-key: %.*s", n, key) < 0)
                route->api_key = NULL;
        return route->authorization && route->api_key ? 0 : error_set(err, -ENOMEM, "keep the key");
}

/* Read by position: the client that made the memfd shares its offset. */
static int set_key(Route *route, int fd, Error *err) {
        char key[ROUTE_KEY_MAX + 1];
        ssize_t n = pread(fd, key, sizeof(key), 0);
        int r = 0;

        if (n < 0)
                return error_set(err, -errno, "read the key");
        while (n > 0 && (key[n - 1] == '\n' || key[n - 1] == '\r'))
                n--;
        for (ssize_t i = 0; i < n; i++)
                if (key[i] <= ' ' || key[i] >= 0x7f)
                        r = -EINVAL;
        if (n > ROUTE_KEY_MAX)
                r = -EINVAL;
        if (r < 0)
                (void) error_say(err, r,
                                 "the key is not one word of visible ASCII of at most %d bytes",
                                 ROUTE_KEY_MAX);
        else if (n > 0)
                r = keep_key(route, key, (int) n, err);
        explicit_bzero(key, sizeof(key));
        return r;
}

static int set_listener(Route *route, Error *err) {
        int listening = 0;
        socklen_t size = sizeof(listening);

        if (getsockopt(route->listener, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0)
                return error_set(err, -errno, "look at the listener");
        if (!listening)
                return error_say(err, -EINVAL, "the listener does not listen");
        return fd_set_nonblock(route->listener, true);
}

/* Without URL and key. */
static int make(const EgressRequest *request, int listener_consume, Route **ret_route, Error *err) {
        Route *route = calloc(1, sizeof(*route));

        if (!route) {
                (void) close(listener_consume);
                return error_set(err, -ENOMEM, "route");
        }
        route->listener = listener_consume;
        route->id = request->id;
        route->like = request->like;
        route->bytes_max = request->bytes_max;
        route->patience_usec = request->patience_usec;
        *ret_route = route;
        return set_listener(route, err);
}

int route_new(const EgressRequest *request, int *fds, Route **ret_route, Error *err) {
        SCOPED(route_free) Route *route = NULL;
        autoclose int key = TAKE_FD(fds[1]);
        int r;

        r = make(request, TAKE_FD(fds[0]), &route, err);
        if (r >= 0 && !memchr(request->model, 0, sizeof(request->model)))
                r = error_say(err, -EINVAL, "the model's name is not terminated");
        if (r >= 0 && !memchr(request->allowed, 0, sizeof(request->allowed)))
                r = error_say(err, -EINVAL, "the list of what is allowed is not terminated");
        if (r >= 0)
                r = set_key(route, key, err);
        if (r >= 0)
                r = set_url(route, request->base_url, err);
        if (r >= 0)
                r = share_new(&(ShareLimits){ .calls = request->requests_max,
                                              .tokens = request->tokens_max,
                                              .money = request->money_max },
                              &route->share, err);
        if (r < 0)
                return r;
        route->price = request->price;
        (void) snprintf(route->model, sizeof(route->model), "%s", request->model);
        (void) snprintf(route->allowed, sizeof(route->allowed), "%s", request->allowed);
        *ret_route = TAKE_PTR(route);
        return 0;
}

static int copy(char **to, const char *from) {
        *to = from ? strdup(from) : NULL;
        return from && !*to ? -ENOMEM : 0;
}

int route_new_like(Route *other, const EgressRequest *request, int listener, Route **ret_route,
                   Error *err) {
        SCOPED(route_free) Route *route = NULL;
        int r;

        r = make(request, listener, &route, err);
        if (r < 0)
                return r;
        if (copy(&route->authorization, other->authorization) < 0 ||
            copy(&route->api_key, other->api_key) < 0)
                return error_set(err, -ENOMEM, "keep the key");
        route->share = share_ref(other->share);
        route->price = other->price;
        memcpy(route->base_url, other->base_url, sizeof(route->base_url));
        memcpy(route->model, other->model, sizeof(route->model));
        memcpy(route->allowed, other->allowed, sizeof(route->allowed));
        *ret_route = TAKE_PTR(route);
        return 0;
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Route *route = userdata;

        (void) source;
        (void) usec;
        if (route->n_connections < ROUTE_CONNECTIONS_MAX)
                (void) sd_event_source_set_enabled(route->source, SD_EVENT_ON);
        return 0;
}

/* No descriptor or memory is free. The client still waits: without a pause it would be heard of again at once. */
static void pause_listener(Route *route) {
        route->pause = sd_event_source_disable_unref(route->pause);
        if (sd_event_add_time_relative(route->event, &route->pause, CLOCK_MONOTONIC, PAUSE_USEC, 0,
                                       on_pause_over, route) >= 0)
                (void) sd_event_source_set_enabled(route->source, SD_EVENT_OFF);
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Route *route = userdata;
        autoclose int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void) source;
        (void) events;
        if (client < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        pause_listener(route);
                return 0; /* else it went away again */
        }
        if (connection_new_consume(route, TAKE_FD(client), &route->connections) < 0)
                return 0;
        if (++route->n_connections == ROUTE_CONNECTIONS_MAX)
                (void) sd_event_source_set_enabled(route->source, SD_EVENT_OFF);
        return 0;
}

int route_start(Route *route, sd_event *event, Multi *multi, Error *err) {
        int r;

        route->event = event;
        route->multi = multi;
        r = sd_event_add_io(event, &route->source, route->listener, EPOLLIN, on_accept, route);
        if (r < 0)
                return error_set(err, r, "watch the listener");
        (void) sd_event_source_set_description(route->source, "listener");
        return 0;
}

/* What money means in people's words, and how much of it is used in the whole task, the front knows */
void route_limit(Route *route, ShareWord word, uint64_t money) {
        static const struct {
                int32_t code;
                const char *name; /* NULL: without a text */
        } rows[] = {
                [SHARE_CALLS_USED] = { EGRESS_LIMIT_CALLS, "model calls" },
                [SHARE_TOKENS_USED] = { EGRESS_LIMIT_TOKENS, "tokens" },
                [SHARE_MONEY_USED] = { EGRESS_LIMIT_MONEY, NULL },
        };
        Share *share = route->share;
        uint64_t most = word == SHARE_CALLS_USED ? share->calls_max : share->tokens.most;
        EgressEvent event = { .kind = EGRESS_LIMIT,
                              .code = rows[word].code,
                              .id = route->id,
                              .calls = share->calls,
                              .like = route->like,
                              .money = money };

        if (share->told)
                return;
        share->told = true;
        if (rows[word].name)
                (void) snprintf(event.text, sizeof(event.text), "all %llu %s are used",
                                (unsigned long long) most, rows[word].name);
        route->say(route->userdata, &event);
}

void route_refused(Route *route, int status, const char *text) {
        EgressEvent event = { .kind = EGRESS_REFUSED,
                              .code = status,
                              .id = route->id,
                              .calls = route->share->calls,
                              .like = route->like };

        (void) snprintf(event.text, sizeof(event.text), "%s", text);
        if (route->refusals == ROUTE_REFUSALS_MAX || strcmp(route->refusal, event.text) == 0)
                return;
        memcpy(route->refusal, event.text, sizeof(route->refusal));
        route->refusals++;
        route->say(route->userdata, &event);
}

void route_drop(Route *route, Connection *connection) {
        for (Connection **at = &route->connections; *at; at = connection_next(*at)) {
                if (*at != connection)
                        continue;
                *at = connection_free(connection);
                break;
        }
        route->n_connections--;
        (void) sd_event_source_set_enabled(route->source, SD_EVENT_ON);
}

/*
 * clients: see clients.h.
 *
 * A client is freed from one place, its `closing` source, which runs after whatever handler found the
 * fault: nobody up the stack is left with a pointer to freed memory. From the moment it is doomed nothing
 * is read from it or sent to it.
 */
#include "supervisor/front/clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/listener.h"
#include "supervisor/front/methods.h"
#include "supervisor/front/policy/accounts.h"

#define ID_TEXT_MAX 128 /* bytes */

typedef struct Watch Watch;

struct Watch {
        Watch *next;
        ClientGoneFn gone;
        void *userdata;
};

struct Client {
        Front *front; /* borrowed, outlives us */
        Client *prev, *next;
        Peer peer;
        RpcPeer *rpc; /* owned, like the sources */
        sd_event_source *io;
        sd_event_source *closing;
        bool doomed;
        Call *calls;      /* owned by themselves */
        Watch *watches;   /* owned */
        Account *account; /* owned reference */
        uint32_t *gids;   /* owned: its groups, the primary one too */
        unsigned n_gids;
};

static Client *client_free(Client *client) {
        Front *front;

        if (!client)
                return NULL;
        front = client->front;
        if (client->prev)
                client->prev->next = client->next;
        else if (front->clients == client)
                front->clients = client->next;
        if (client->next)
                client->next->prev = client->prev;
        calls_detach(client->calls);
        while (client->watches) {
                autofree Watch *watch = client->watches;

                client->watches = watch->next;
                watch->gone(client, watch->userdata);
        }
        account_unref(client->account);
        free(client->gids);
        sd_event_source_disable_unref(client->io);
        sd_event_source_disable_unref(client->closing);
        rpc_peer_free(client->rpc);
        free(client);
        listener_resume(front);
        front_touch(front);
        return NULL;
}
DEFINE_SCOPED(Client *, client_free);

/* Why it is closed, in the log; a peer that just went away is no news. */
static void doom(Client *client, const char *why) {
        char uid[16];

        if (client->doomed)
                return;
        client->doomed = true;
        (void) snprintf(uid, sizeof uid, "%u", client->peer.uid);
        log_event(why ? LOG_WARNING : LOG_DEBUG, "client closed", F("UID", uid), F("ERROR", why));
        (void) sd_event_source_set_enabled(client->io, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(client->closing, SD_EVENT_ONESHOT);
}

static int on_closing(sd_event_source *source, void *userdata) {
        (void) source;
        client_free(userdata);
        return 0;
}

void client_send(Client *client, const cJSON *message, const int *fds, unsigned n_fds) {
        int r;

        if (client->doomed)
                return;
        r = message ? rpc_peer_send(client->rpc, message, fds, n_fds) : -ENOMEM;
        if (r == -ENOBUFS)
                doom(client, "it does not read what it asked for");
        else if (r == -EPIPE || r == -ECONNRESET)
                doom(client, NULL);
        else if (r < 0)
                doom(client, "an answer could not be sent");
        else
                (void) sd_event_source_set_io_events(client->io, rpc_peer_events(client->rpc));
}

/* A line that is no request: answered with what could be read of its id. */
static void refuse_line(Client *client, int code, const char *text, const cJSON *id) {
        SCOPED(json_free) cJSON *answer = rpc_error(id, code, text, NULL);

        client_send(client, answer, NULL, 0);
}

/* It has more that cannot be closed than a user may: nothing of it is read. */
static void refuse_all(Client *client, const Error *err) {
        SCOPED(json_free) cJSON *data = cJSON_CreateObject();
        SCOPED(json_free) cJSON *answer = NULL;

        json_add_text(data, "code", "quota");
        answer = rpc_error(NULL, RPC_OURS, err->text, TAKE_PTR(data));
        client_send(client, answer, NULL, 0);
}

/* An id is kept until the answer goes out. Returns: NULL, or a sentence about what is wrong with it */
static const char *check_id(const cJSON *id) {
        if (id && !cJSON_IsString(id) && !cJSON_IsNumber(id) && !cJSON_IsNull(id))
                return "id must be a string or a number";
        if (id && cJSON_IsString(id) && strlen(id->valuestring) > ID_TEXT_MAX)
                return "id is too long: at most 128 bytes";
        return NULL;
}

static void on_message(Client *client, RpcMessage *message) {
        const cJSON *id = json_get(message->json, "id");
        const char *method = json_text(message->json, "method");
        const char *version = json_text(message->json, "jsonrpc");
        const char *wrong_id = check_id(id);
        Call *call = NULL;
        int r;

        if (wrong_id) {
                refuse_line(client, RPC_INVALID, wrong_id, NULL);
                return;
        }
        if (!method || !version || strcmp(version, "2.0") != 0) {
                refuse_line(client, RPC_INVALID,
                            "a request needs \"jsonrpc\": \"2.0\" and a \"method\"", id);
                return;
        }
        r = call_new(client, message, &call);
        if (r == -EBUSY)
                doom(client, "too many requests wait for an answer");
        else if (r < 0)
                doom(client, "no memory for its request");
        else
                methods_dispatch(client->front, call, method, json_get(message->json, "params"));
}

static void take_messages(Client *client) {
        while (!client->doomed) {
                RpcMessage message = RPC_MESSAGE_EMPTY;
                Error err = ERROR_EMPTY;
                int r = rpc_peer_next(client->rpc, &message, &err);

                if (r == 0)
                        return;
                if (r == RPC_PARSE || r == RPC_INVALID)
                        refuse_line(client, r, err.text, NULL);
                else if (r < 0)
                        doom(client, err.text);
                else
                        on_message(client, &message);
                rpc_message_deinit(&message);
        }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Client *client = userdata;
        Error err = ERROR_EMPTY;
        int r = 1;

        (void) source;
        (void) fd;
        if ((revents & EPOLLOUT) && rpc_peer_flush(client->rpc) < 0) {
                doom(client, NULL);
                return 0;
        }
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                r = rpc_peer_read(client->rpc, &err);
        take_messages(client);
        if (r == -EDQUOT)
                refuse_all(client, &err);
        if (r <= 0)
                doom(client, r < 0 && err.code != -ECONNRESET ? err.text : NULL);
        if (!client->doomed)
                (void) sd_event_source_set_io_events(client->io, rpc_peer_events(client->rpc));
        return 0;
}

static int watch_client(Client *client) {
        sd_event *event = client->front->event;
        int r = sd_event_add_io(event, &client->io, rpc_peer_fd(client->rpc), EPOLLIN, on_io,
                                client);

        if (r >= 0)
                r = sd_event_source_set_description(client->io, "client");
        if (r >= 0)
                r = sd_event_add_defer(event, &client->closing, on_closing, client);
        if (r >= 0)
                r = sd_event_source_set_enabled(client->closing, SD_EVENT_OFF);
        /* before anything else of the same turn: what is doomed is gone when others look */
        if (r >= 0)
                r = sd_event_source_set_priority(client->closing, SD_EVENT_PRIORITY_IMPORTANT);
        return r;
}

static int keep_groups(Client *client, const AdmissionGroups *groups) {
        size_t size = groups->n * sizeof(groups->gids[0]);

        client->gids = malloc(size ? size : 1);
        if (!client->gids)
                return -ENOMEM;
        memcpy(client->gids, groups->gids, size);
        client->n_gids = groups->n;
        return 0;
}

AnswerWho client_who(const Client *client) {
        return (AnswerWho){ client->peer.uid, client->peer.admin, client->gids, client->n_gids };
}

int client_new_consume(Front *front, int fd, const ClientAdmitted *admitted, Error *err) {
        uint32_t uid = admitted->peer.uid;
        SCOPED(client_free) Client *client = calloc(1, sizeof(Client));
        RpcDoor door;
        int r;

        if (!client) {
                account_unref(admitted->account);
                closer_close_socket(front->closer, uid, fd);
                return error_set(err, -ENOMEM, "take a client");
        }
        client->front = front;
        client->peer = admitted->peer;
        client->account = admitted->account;
        r = rpc_peer_new_consume(fd, &client->rpc);
        if (r >= 0)
                r = keep_groups(client, &admitted->groups);
        if (r >= 0) {
                closer_door(front->closer, uid, &door);
                rpc_peer_set_door(client->rpc, &door);
                r = watch_client(client);
        }
        if (r < 0)
                return error_set(err, r, "take a client");
        client->next = front->clients;
        if (client->next)
                client->next->prev = client;
        front->clients = TAKE_PTR(client);
        pools_owner_came(front, uid);
        return 0;
}

int clients_check_room(const Front *front, const Peer *peer, Error *err) {
        unsigned all = 0, own = 0;

        for (const Client *client = front->clients; client; client = client->next) {
                all++;
                own += client->peer.uid == peer->uid;
        }
        if (all >= CLIENTS_MAX - (peer->admin ? 0 : CLIENTS_FOR_ADMINS) ||
            own >= CLIENTS_PER_UID_MAX)
                return error_say(err, -EDQUOT, "too many connections are open: close some first");
        if (!closer_has_room(front->closer, peer->uid))
                return error_say(err, -EDQUOT,
                                 "descriptors that you passed before cannot be closed: what serves "
                                 "their files does not answer; end it or unmount it first");
        return 0;
}

void clients_close_all(Front *front) {
        while (front->clients)
                client_free(front->clients);
}

bool client_is_behind(const Client *client) {
        /* the rest of the queue is for answers */
        return !client->doomed && rpc_peer_waiting(client->rpc) > RPC_OUT_MAX / 4;
}

int client_notify(Client *client, const char *method, cJSON *params_consume) {
        SCOPED(json_free) cJSON *message = rpc_request(0, method, params_consume);

        if (client->doomed)
                return 0;
        if (client_is_behind(client))
                return -ENOBUFS;
        client_send(client, message, NULL, 0);
        return 0;
}

void client_notify_asked(Client *client, const char *method, cJSON *params_consume) {
        SCOPED(json_free) cJSON *message = rpc_request(0, method, params_consume);

        client_send(client, message, NULL, 0);
}

const Peer *client_peer(const Client *client) {
        return &client->peer;
}

Front *client_front(const Client *client) {
        return client->front;
}

int client_fd(const Client *client) {
        return rpc_peer_fd(client->rpc);
}

Call **client_calls(Client *client) {
        return &client->calls;
}

int client_watch(Client *client, ClientGoneFn gone, void *userdata) {
        Watch *watch = malloc(sizeof *watch);

        if (!watch)
                return -ENOMEM;
        *watch = (Watch){ client->watches, gone, userdata };
        client->watches = watch;
        return 0;
}

void client_unwatch(Client *client, ClientGoneFn gone, void *userdata) {
        for (Watch **at = &client->watches; *at; at = &(*at)->next) {
                autofree Watch *found = *at;

                if (found->gone == gone && found->userdata == userdata) {
                        *at = found->next;
                        return;
                }
                (void) TAKE_PTR(found);
        }
}

#pragma once
/*
 * clients: connections to the front's socket, who is behind each, and who wants to know when one ends.
 * A peer's fault closes the peer, never the front.
 */
#include "supervisor/front/admission.h"
#include "supervisor/front/calls.h"
#include "supervisor/front/policy/accounts.h"
#include "supervisor/front/tasks/answer-rules.h"

#define CLIENTS_MAX         512
#define CLIENTS_PER_UID_MAX 64
#define CLIENTS_FOR_ADMINS  32 /* of CLIENTS_MAX, kept free for who can put things right */

typedef struct ClientAdmitted { /* who connected */
        Peer peer;
        AdmissionGroups groups;
        Account *account; /* reference */
} ClientAdmitted;

/** client_new_consume() - serve @fd, and keep the reference to the account. Returns: 0 or negative errno (both are given back) */
int client_new_consume(Front *front, int fd, const ClientAdmitted *admitted, Error *err);
/** clients_check_room() - may one more connect. Returns: 0, -EDQUOT */
int clients_check_room(const Front *front, const Peer *peer, Error *err);
/** clients_close_all() - at the end of the front */
void clients_close_all(Front *front);

/** client_notify() - a notification to a client; @params is consumed. Returns: 0, -ENOBUFS: it lags (nothing was queued) */
int client_notify(Client *client, const char *method, cJSON *params_consume);
/** client_is_behind() - would client_notify() queue nothing now */
bool client_is_behind(const Client *client);
/** client_notify_asked() - likewise for what belongs to an answer: it has an answer's room, and who leaves that full is cut off */
void client_notify_asked(Client *client, const char *method, cJSON *params_consume);
/** client_peer() - borrowed */
const Peer *client_peer(const Client *client);
/** client_who() - user id and groups of who connected, as they were then; borrowed from @client */
AnswerWho client_who(const Client *client);
/** client_front() - borrowed */
Front *client_front(const Client *client);
/** client_fd() - its connection, for LAYER_DIR; borrowed */
int client_fd(const Client *client);
/** client_send() - for calls.c: a whole message; a client that does not read is closed */
void client_send(Client *client, const cJSON *message, const int *fds, unsigned n_fds);
/** client_calls() - for calls.c: head of the list of its open calls */
Call **client_calls(Client *client);

/** ClientGoneFn - the connection ended; called once */
typedef void (*ClientGoneFn)(Client *client, void *userdata);
/** client_watch() - be told; client_unwatch() with the same pair takes it back. Returns: 0 or -ENOMEM */
int client_watch(Client *client, ClientGoneFn gone, void *userdata);
/** client_unwatch() - not any more; unknown pairs are fine */
void client_unwatch(Client *client, ClientGoneFn gone, void *userdata);

/*
 * calls: see calls.h. Every refusal leaves through one function, so that each has its code, the pointer
 * to the field, and a hint.
 */
#include "supervisor/front/calls.h"

#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/clients.h"

struct Call {
        Client *client; /* borrowed; NULL: gone */
        Call *prev, *next;
        Peer peer;
        cJSON *id; /* owned; NULL: a notification, nothing is answered */
        int fds[RPC_FDS_PER_MESSAGE];
        unsigned n_fds;
        char code[16]; /* of call_refuse(), "" where it was not called */
        char path[128];
        char hint[256];
        cJSON *data; /* owned: of call_data() */
};

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        if (call->prev)
                call->prev->next = call->next;
        else if (call->client && *client_calls(call->client) == call)
                *client_calls(call->client) = call->next;
        if (call->next)
                call->next->prev = call->prev;
        fds_close(call->fds, call->n_fds);
        json_free(call->id);
        json_free(call->data);
        free(call);
        return NULL;
}
DEFINE_SCOPED(Call *, call_free);

int call_new(Client *client, RpcMessage *message, Call **ret) {
        Call **head = client_calls(client);
        const cJSON *id = json_get(message->json, "id");
        SCOPED(call_free) Call *call = NULL;
        unsigned n = 0;

        for (const Call *at = *head; at; at = at->next)
                n++;
        if (n >= CALLS_PER_CLIENT_MAX)
                return -EBUSY;
        call = calloc(1, sizeof *call);
        if (!call)
                return -ENOMEM;
        if (id) {
                call->id = cJSON_Duplicate(id, true);
                if (!call->id)
                        return -ENOMEM;
        }
        call->peer = *client_peer(client);
        call->n_fds = message->n_fds;
        for (unsigned i = 0; i < message->n_fds; i++)
                call->fds[i] = TAKE_FD(message->fds[i]);
        call->client = client;
        call->next = *head;
        if (call->next)
                call->next->prev = call;
        *head = call;
        *ret = TAKE_PTR(call);
        return 0;
}

void calls_detach(Call *first) {
        while (first) {
                Call *next = first->next;

                first->client = NULL;
                first->prev = first->next = NULL;
                first = next;
        }
}

const Peer *call_peer(const Call *call) {
        return &call->peer;
}

uint32_t call_uid(const Call *call) {
        return call->peer.admin ? 0 : call->peer.uid;
}

int call_owns(Call *call, uint32_t owner_uid, Error *err) {
        if (call->peer.uid == 0 || call->peer.uid == owner_uid)
                return 0;
        call_refuse(call, "denied", NULL, "ask its owner, or root");
        return error_say(err, -EACCES,
                         "it belongs to user id %u: an administrator may list and end it, not look "
                         "into it",
                         owner_uid);
}

Client *call_client(const Call *call) {
        return call->client;
}

int call_take_fd(Call *call, unsigned i) {
        return i < call->n_fds ? TAKE_FD(call->fds[i]) : -EBADF;
}

int call_fd(const Call *call, unsigned i) {
        return i < call->n_fds ? call->fds[i] : -EBADF;
}

void call_close_fds(Call *call) {
        fds_close(call->fds, call->n_fds);
}

unsigned call_n_fds(const Call *call) {
        return call->n_fds;
}

void call_refuse(Call *call, const char *code, const char *path, const char *hint) {
        (void) snprintf(call->code, sizeof call->code, "%s", code);
        (void) snprintf(call->path, sizeof call->path, "%s", path ? path : "");
        (void) snprintf(call->hint, sizeof call->hint, "%s", hint ? hint : "");
}

void call_refuse_like(Call *call, const Call *other) {
        if (!call_is_refused(other))
                return;
        call_refuse(call, other->code, NULL, other->hint);
        json_free(call->data);
        call->data = cJSON_Duplicate(other->data, true);
}

bool call_is_refused(const Call *call) {
        return *call->code;
}

/* Errors of our own calls that nobody gave a name of the protocol. */
static const char *code_of(int code) {
        static const struct {
                int code;
                const char *name;
        } names[] = {
                { -EINVAL, "invalid" },      { -E2BIG, "invalid" },      { -EBADF, "invalid" },
                { -EACCES, "denied" },       { -EPERM, "denied" },       { -ENOENT, "not_found" },
                { -ESRCH, "not_found" },     { -EEXIST, "exists" },      { -EBUSY, "busy" },
                { -EAGAIN, "busy" },         { -EDQUOT, "quota" },       { -ENOSPC, "quota" },
                { -ENOTSUP, "unsupported" }, { -ENOSYS, "unsupported" }, { -ECANCELED, "jail" },
                { -EPIPE, "jail" },          { -ETIMEDOUT, "limit" },    { -EUCLEAN, "jail" },
        };

        for (unsigned i = 0; i < ELEMENTS(names); i++)
                if (names[i].code == code)
                        return names[i].name;
        return "internal";
}

/* An answer that could not be made for want of memory leaves the caller waiting: close it instead. */
static void send_and_free(Call *call, cJSON *message, const int *fds, unsigned n_fds) {
        SCOPED(json_free) cJSON *owned = message;
        Front *front = NULL;

        if (call->client && call->id) {
                front = client_front(call->client);
                client_send(call->client, owned, fds, n_fds);
        }
        call_free(call);
        if (front)
                front_touch(front);
}

void call_answer(Call *call, cJSON *result, const int *fds, unsigned n_fds) {
        send_and_free(call, rpc_result(call->id, result), fds, n_fds);
}

cJSON *call_data(Call *call) {
        if (!call->data)
                call->data = cJSON_CreateObject();
        return call->data;
}

static cJSON *refusal_data(cJSON *data, const char *code, const char *path, const char *hint) {
        if (!data)
                data = cJSON_CreateObject();

        json_add_text(data, "code", code);
        if (path && *path)
                json_add_text(data, "path", path);
        if (hint && *hint)
                json_add_text(data, "hint", hint);
        return data;
}

void call_fail(Call *call, const char *code, const Error *err) {
        const char *name = code ? code : *call->code ? call->code : code_of(err->code);
        char uid[16];

        (void) snprintf(uid, sizeof uid, "%u", call->peer.uid);
        log_event(LOG_WARNING, "request refused", F("UID", uid), F("CODE", name), F_ERR(err));
        send_and_free(call,
                      rpc_error(call->id, RPC_OURS, err->text,
                                refusal_data(TAKE_PTR(call->data), name, call->path, call->hint)),
                      NULL, 0);
}

void call_fail_params(Call *call, const SchemaFault *fault) {
        static const char *const bounds[] = { "minimum", "maximum" };
        cJSON *data = refusal_data(NULL, "invalid", fault->path, NULL);

        for (unsigned i = 0; fault->range && i < ELEMENTS(bounds); i++)
                if (json_get(fault->range, bounds[i]))
                        json_add_consume(data, bounds[i],
                                         cJSON_Duplicate(json_get(fault->range, bounds[i]), true));
        send_and_free(call, rpc_error(call->id, RPC_PARAMS, fault->text, data), NULL, 0);
}

void call_fail_method(Call *call, const char *method) {
        char text[160];

        (void) snprintf(text, sizeof text, "there is no method %.100s: see rpc.discover", method);
        send_and_free(call, rpc_error(call->id, RPC_METHOD, text, NULL), NULL, 0);
}

cJSON *call_id(const Call *call) {
        return cJSON_Duplicate(call->id, true);
}

void call_notify(Call *call, const char *method, cJSON *params) {
        if (call->client)
                (void) client_notify(call->client, method, params);
        else
                json_free(params);
}

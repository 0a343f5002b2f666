/*
 * agent-socket: see agent-socket.h.
 *
 * Closing and freeing are two things: a handler may end the task, and the task's end closes the socket
 * while the handler's caller still stands in it. What is closed answers nothing; the task frees it later.
 */
#include "supervisor/front/tasks/agent-socket.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/schema.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/tasks/agent-methods.h"
#include "supervisor/front/tasks/task-still.h"

struct AgentSocket {
        Task *task; /* borrowed, outlives us */
        RpcPeer *peer;
        sd_event_source *io;
        AgentCall *calls; /* owned list */
        cJSON *later; /* owned: a request that waits until its task has a place; none is read behind it */
        sd_event_source
                *again; /* to go on with it, or to end the task of which an answer is broken */
        Error broken;
        AgentSocket *past; /* owned: of an earlier run, calls of which may still come back */
        bool closed;
        cJSON *schemas[AGENT_METHODS_MAX]; /* owned: of methods that were called, parsed */
};

/* ---- answers ------------------------------------------------------------------------------------- */

static void update_events(AgentSocket *socket) {
        if (!socket->closed)
                (void) sd_event_source_set_io_events(socket->io, rpc_peer_events(socket->peer));
}

static void fault(AgentSocket *socket, const Error *err) {
        task_fail(socket->task, "agent_protocol", err);
}

/* An agent that has gone: its own end says how */
static bool is_gone(int r) {
        return r == -EPIPE || r == -ECONNRESET;
}

/*
 * An agent that does not take its answers in ends its task, in a turn of its own: whoever answers may stand in what the
 * end of a task frees.
 */
void agent_socket_send(AgentSocket *socket, const cJSON *message, const int *fds, unsigned n_fds) {
        int r;

        if (socket->closed || socket->broken.code)
                return;
        r = message ? rpc_peer_send(socket->peer, message, fds, n_fds) : -ENOMEM;
        if (r == 0)
                update_events(socket);
        if (r == 0 || is_gone(r))
                return;
        error_set(&socket->broken, r, "answer the agent (does it read its socket?)");
        (void) sd_event_source_set_enabled(socket->again, SD_EVENT_ONESHOT);
}

static void refuse(AgentSocket *socket, const cJSON *id, int code, const char *text, cJSON *data) {
        SCOPED(json_free) cJSON *message = rpc_error(id, code, text, data);

        agent_socket_send(socket, message, NULL, 0);
}

/* ---- requests ------------------------------------------------------------------------------------ */

/* What leaves nothing that waits is taken however much does: the way to an end, above all */
static bool leaves_nothing(const char *name, const cJSON *id) {
        return !id && (strcmp(name, "event") == 0 || strcmp(name, "cancel") == 0);
}

static bool has_room(const AgentSocket *socket) {
        unsigned n = 0;

        for (const AgentCall *call = socket->calls; call; call = call->next)
                n++;
        return n < AGENT_CALLS_MAX;
}

static int check_params(AgentSocket *socket, const AgentMethod *method, const cJSON *params,
                        SchemaFault *fault) {
        SCOPED(json_free) cJSON *none = params ? NULL : cJSON_CreateObject();
        cJSON **schema = &socket->schemas[agent_method_number(method)];

        if (!*schema && json_parse(method->params, strlen(method->params), 0, schema, NULL) < 0)
                return -ENOTSUP;
        return schema_check(*schema, params ? params : none, fault);
}

static void put_off(AgentSocket *socket, const cJSON *json) {
        Error err = ERROR_EMPTY;

        if (socket->closed)
                return;
        socket->later = cJSON_Duplicate(json, true);
        if (!socket->later) {
                error_set(&err, -ENOMEM, "take the agent's request");
                fault(socket, &err);
        }
}

static void run(AgentSocket *socket, const AgentMethod *method, const cJSON *json) {
        const cJSON *params = json_get(json, "params"), *id = json_get(json, "id");
        SchemaFault wrong = { 0 };
        Error err = ERROR_EMPTY;
        AgentCall *call;
        cJSON *data;

        if (check_params(socket, method, params, &wrong) < 0) {
                data = cJSON_CreateObject();
                json_add_text(data, "code", "invalid");
                json_add_text(data, "path", wrong.path);
                if (id)
                        refuse(socket, id, RPC_PARAMS, wrong.text, data);
                else
                        json_free(data);
                return;
        }
        if (!agent_method_waits(method) && !task_still_wake(socket->task)) {
                put_off(socket, json);
                return;
        }
        if (socket->closed)
                return;
        call = agent_call_new(socket, method, id);
        if (!call) {
                error_set(&err, -ENOMEM, "take the agent's request");
                fault(socket, &err);
                return;
        }
        if (method->run(call, params, &err) < 0)
                agent_call_fail(call, err.code == -EBUSY ? "busy" : NULL, &err);
}

static void dispatch(AgentSocket *socket, const RpcMessage *message) {
        const char *name = json_text(message->json, "method");
        const cJSON *id = json_get(message->json, "id");
        const AgentMethod *method = name ? agent_method_find(name) : NULL;
        Error err = ERROR_EMPTY;

        if (message->n_fds > 0) {
                error_say(&err, -EPROTO, "the agent passed a descriptor: no request takes one");
                fault(socket, &err);
        } else if (!name) {
                refuse(socket, id, RPC_INVALID, "a request needs a method", NULL);
        } else if (!method) {
                refuse(socket, id, RPC_METHOD, "an agent has no such method: see warder-agent(7)",
                       NULL);
        } else if (!has_room(socket) && !leaves_nothing(name, id)) {
                cJSON *data = id ? cJSON_CreateObject() : NULL;

                if (!id) /* nobody waits for an answer, but it would start something all the same */
                        return;
                json_add_text(data, "code", "busy");
                refuse(socket, id, RPC_OURS, "too many requests wait for an answer", data);
        } else {
                run(socket, method, message->json);
        }
}

AgentCall *agent_socket_call(AgentSocket *socket, uint64_t id) {
        for (AgentCall *call = socket ? socket->calls : NULL; call; call = call->next)
                if (cJSON_IsNumber(call->id) && call->id->valuedouble == (double) id)
                        return call;
        return NULL;
}

AgentCall *agent_socket_route(AgentSocket *socket, uint64_t route) {
        for (AgentCall *call = socket && route ? socket->calls : NULL; call; call = call->next)
                if (call->route == route)
                        return call;
        return NULL;
}

AgentCall *agent_socket_asking(AgentSocket *socket, const char *question) {
        for (AgentCall *call = socket ? socket->calls : NULL; call; call = call->next)
                if (strcmp(call->question, question) == 0)
                        return call;
        return NULL;
}

bool agent_socket_stays(const AgentSocket *socket) {
        for (const AgentCall *call = socket ? socket->calls : NULL; call; call = call->next)
                if (call->stays)
                        return true;
        return false;
}

bool agent_socket_only_asks(const AgentSocket *socket) {
        for (const AgentCall *call = socket ? socket->calls : NULL; call; call = call->next)
                if (!call->question[0])
                        return false;
        return socket && socket->calls;
}

static void take_messages(AgentSocket *socket) {
        while (!socket->closed && !socket->later) {
                RpcMessage message = RPC_MESSAGE_EMPTY;
                Error err = ERROR_EMPTY;
                int r = rpc_peer_next(socket->peer, &message, &err);

                if (r == 0)
                        return;
                if (r == 1)
                        dispatch(socket, &message);
                else if (r == RPC_PARSE || r == RPC_INVALID)
                        refuse(socket, NULL, r, err.text, NULL);
                else
                        fault(socket, &err);
                rpc_message_deinit(&message);
        }
}

/* Returns: as rpc_peer_read() does; what is amiss has ended the task */
static int take_in(AgentSocket *socket) {
        Error err = ERROR_EMPTY;
        int r = rpc_peer_read(socket->peer, &err);

        take_messages(socket);
        if (!socket->closed && r < 0 && !is_gone(r)) /* not read any more, it would wait for ever */
                fault(socket, &err);
        return r;
}

void agent_socket_drain(AgentSocket *socket) {
        char byte;
        int r = 1;

        /* what waits for a place is not waited for: nobody would hear the answer */
        while (r > 0 && socket && !socket->closed && !socket->later &&
               recv(rpc_peer_fd(socket->peer), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
                r = take_in(socket);
}

/* The end of the stream is no end of the task: the agent's own end is, and says more */
static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        AgentSocket *socket = userdata;
        int r = 1;

        (void) fd;
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                r = take_in(socket);
        if (!socket->closed && r > 0 && (events & EPOLLOUT))
                r = rpc_peer_flush(socket->peer) == 0 ? 1 : -EPIPE;
        if (r <= 0 || socket->later)
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        else
                update_events(socket);
        return 0;
}

static int on_again(sd_event_source *source, void *userdata) {
        AgentSocket *socket = userdata;
        RpcMessage message = RPC_MESSAGE_EMPTY;

        (void) source;
        if (socket->broken.code && !socket->closed) {
                fault(socket, &socket->broken);
                return 0;
        }
        message.json = TAKE_PTR(socket->later);
        if (message.json && !socket->closed)
                dispatch(socket, &message);
        rpc_message_deinit(&message);
        take_messages(socket);
        if (!socket->closed && !socket->later) {
                (void) sd_event_source_set_enabled(socket->io, SD_EVENT_ON);
                update_events(socket);
        }
        return 0;
}

Task *agent_socket_task(const AgentSocket *socket) {
        return socket->task;
}

AgentCall **agent_socket_calls(AgentSocket *socket) {
        return &socket->calls;
}

bool agent_socket_is_closed(const AgentSocket *socket) {
        return socket->closed;
}

void agent_socket_go_on(AgentSocket *socket) {
        if (socket && socket->later)
                (void) sd_event_source_set_enabled(socket->again, SD_EVENT_ONESHOT);
}

/* ---- life ---------------------------------------------------------------------------------------- */

int agent_socket_new_consume(Task *task, int fd, AgentSocket **ret, Error *err) {
        AgentSocket *socket = calloc(1, sizeof(*socket));
        RpcDoor door;
        int r;

        if (!socket) {
                owned_close(&fd);
                return error_set(err, -ENOMEM, "make the agent's socket");
        }
        socket->task = task;
        r = rpc_peer_new_consume(fd, &socket->peer);
        if (r ==
            0) { /* an agent passes no descriptor; one that does all the same holds nobody up */
                closer_jail_door(task->front->closer, task->owner_uid, &door);
                rpc_peer_set_door(socket->peer, &door);
        }
        if (r == 0)
                r = sd_event_add_io(task->front->event, &socket->io, rpc_peer_fd(socket->peer),
                                    EPOLLIN, on_io, socket);
        if (r >= 0)
                r = sd_event_add_defer(task->front->event, &socket->again, on_again, socket);
        if (r >= 0)
                r = sd_event_source_set_enabled(socket->again, SD_EVENT_OFF);
        if (r < 0) {
                agent_socket_free(socket);
                return error_set(err, r, "make the agent's socket");
        }
        (void) sd_event_source_set_description(socket->io, "agent");
        *ret = socket;
        return 0;
}

void agent_socket_close(AgentSocket *socket) {
        AgentCall *call, *next;

        if (!socket || socket->closed)
                return;
        socket->closed = true;
        (void) rpc_peer_flush(socket->peer);
        (void) sd_event_source_set_enabled(socket->io, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(socket->again, SD_EVENT_OFF);
        for (call = socket->calls; call; call = next) {
                next = call->next;
                agent_call_stop(call);
                if (!call->jail_call) /* else its callback comes, and finds a closed socket */
                        agent_call_free(call);
        }
}

void agent_socket_keep(AgentSocket *socket, AgentSocket *past) {
        while (past) {
                AgentSocket *older = TAKE_PTR(past->past);

                if (past->calls) {
                        past->past = socket->past;
                        socket->past = past;
                } else {
                        agent_socket_free(past);
                }
                past = older;
        }
}

AgentSocket *agent_socket_free(AgentSocket *socket) {
        if (!socket)
                return NULL;
        socket->past = agent_socket_free(socket->past);
        while (socket->calls)
                agent_call_free(socket->calls);
        sd_event_source_disable_unref(socket->io);
        sd_event_source_disable_unref(socket->again);
        json_free(socket->later);
        rpc_peer_free(socket->peer);
        for (unsigned i = 0; i < AGENT_METHODS_MAX; i++)
                json_free(socket->schemas[i]);
        free(socket);
        return NULL;
}

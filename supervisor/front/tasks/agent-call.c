/*
 * agent-call: see agent-call.h.
 */
#include "supervisor/front/tasks/agent-call.h"

#include "supervisor/front/egress-link.h"
#include "supervisor/front/tasks/agent-socket.h"

AgentCall *agent_call_new(AgentSocket *socket, const struct AgentMethod *method, const cJSON *id) {
        AgentCall *call = calloc(1, sizeof(*call));

        if (!call)
                return NULL;
        *call = (AgentCall){ .socket = socket,
                             .task = agent_socket_task(socket),
                             .method = method,
                             .next = *agent_socket_calls(socket) };
        *agent_socket_calls(socket) = call;
        if (id)
                call->id = cJSON_Duplicate(id, true);
        if (id && !call->id) {
                agent_call_free(call);
                return NULL;
        }
        return call;
}

void agent_call_stop(AgentCall *call) {
        if (call->route)
                egress_link_close(call->task->front, call->route);
        call->route = 0;
        if (call->job)
                call->job = files_job_cancel(call->job);
}

void agent_call_free(AgentCall *call) {
        AgentCall **at = agent_socket_calls(call->socket);

        while (*at && *at != call)
                at = &(*at)->next;
        if (*at)
                *at = call->next;
        agent_call_stop(call);
        json_free(call->params);
        json_free(call->result);
        json_free(call->id);
        free(call->path);
        free(call->step);
        free(call);
}

static void send_and_free(AgentCall *call, cJSON *message, const int *fds, unsigned n_fds) {
        SCOPED(json_free) cJSON *owned = message;
        AgentSocket *socket = call->socket;
        bool wanted = call->id;

        agent_call_free(call);
        if (wanted)
                agent_socket_send(socket, owned, fds, n_fds);
}

bool agent_call_is_wanted(const AgentCall *call) {
        return !agent_socket_is_closed(call->socket);
}

void agent_call_answer(AgentCall *call, cJSON *result, const int *fds, unsigned n_fds) {
        send_and_free(call, rpc_result(call->id, result), fds, n_fds);
}

static const char *code_of(int code) {
        switch (code) {
        case -EINVAL:
        case -E2BIG:
        case -EISDIR:
        case -ENOTDIR:
                return "invalid";
        case -ENOENT:
                return "not_found";
        case -EEXIST:
                return "exists";
        case -EPERM:
        case -EACCES:
        case -ELOOP:
        case -EXDEV:
        case -EROFS:
                return "denied";
        case -EBUSY:
                return "busy";
        case -ENOSPC:
        case -EDQUOT:
        case -EFBIG:
                return "limit";
        case -ENOTSUP:
                return "unsupported";
        case -ESRCH:
                return "jail";
        default:
                return "internal";
        }
}

void agent_call_fail(AgentCall *call, const char *code, const Error *err) {
        cJSON *data = cJSON_CreateObject();

        json_add_text(data, "code", code ? code : code_of(err->code));
        send_and_free(call, rpc_error(call->id, RPC_OURS, err->text, data), NULL, 0);
}

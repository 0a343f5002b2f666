#pragma once
/*
 * agent-socket: the front's end of a task's socket, over which warder-agent asks (warder-agent(7)). It
 * speaks for its own task only: there is no id in any request. A fault of the agent ends its task.
 */
#include "supervisor/front/tasks/task.h"

#define AGENT_CALLS_MAX 32u /* requests that wait for an answer */

typedef struct AgentSocket AgentSocket;

typedef struct AgentCall { /* one request that waits; owned by its socket */
        AgentSocket *socket;
        struct AgentCall *next;
        Task *task; /* borrowed */
        const struct AgentMethod *method;
        cJSON *id;             /* owned; NULL: a notification */
        FilesJob *job;         /* owned: a search; cancelled with the socket */
        cJSON *result;         /* owned: being gathered; of an exec and an ask: what was asked */
        char question[ID_MAX]; /* of an ask: that waits for people; "": none */
        uint64_t fork;         /* that its command runs in; 0: the task's own workspace */
        char *path;       /* owned: the step instance that it is for, as the agent says; or NULL */
        char *step;       /* owned: the same as a place, without numbers */
        bool stays;       /* of an ask: the agent has in memory what is not committed */
        Command *command; /* borrowed: of an exec that runs */
        bool cancelled;   /* nobody waits for it any more: what is not begun is not */
        bool jail_call;   /* a callback of the task's jail will come: not freed before */
        bool cut;         /* of a search */
        uint64_t n;
        cJSON *params; /* owned: of an exec that waits for its route */
        uint64_t
                route; /* at egress, of a command with a way to the model; 0: none. Closed with the call */
        struct {
                uint64_t calls, tokens_in, tokens_out;
        } model; /* of that route, so far */
} AgentCall;

/** agent_socket_new_consume() - @fd is consumed also on failure */
int agent_socket_new_consume(Task *task, int fd, AgentSocket **ret, Error *err);
/** agent_socket_drain() - take what the agent said before it ended; that may end the task. NULL is fine */
void agent_socket_drain(AgentSocket *socket);
/** agent_socket_close() - nothing is read or answered any more; NULL is fine */
void agent_socket_close(AgentSocket *socket);
/** agent_socket_keep() - @past (closed) is freed with @socket; now, where nothing of it is outstanding. NULL is fine */
void agent_socket_keep(AgentSocket *socket, AgentSocket *past);
/** agent_socket_free() - no callback may be outstanding; NULL is fine. Returns: NULL */
AgentSocket *agent_socket_free(AgentSocket *socket);
/** agent_socket_route() - the request whose command has this route; NULL; a NULL @socket is fine */
AgentCall *agent_socket_route(AgentSocket *socket, uint64_t route);

/** agent_socket_go_on() - its task has a place again: what the agent asked for meanwhile is done, soon. NULL is fine */
void agent_socket_go_on(AgentSocket *socket);
/** agent_socket_call() - the request of this number that waits; NULL: none does */
AgentCall *agent_socket_call(AgentSocket *socket, uint64_t id);
/** agent_socket_asking() - the call that waits for @question; NULL: none does */
AgentCall *agent_socket_asking(AgentSocket *socket, const char *question);
/** agent_socket_only_asks() - is nothing under way but questions that wait, one at least */
bool agent_socket_only_asks(const AgentSocket *socket);

/** agent_socket_stays() - does one of the questions that wait need the agent as it is */
bool agent_socket_stays(const AgentSocket *socket);

/** agent_call_is_wanted() - may an answer still be heard; else its run is over, and nothing is to be begun for it */
bool agent_call_is_wanted(const AgentCall *call);
/** agent_call_answer() - @result is consumed; the call is freed */
void agent_call_answer(AgentCall *call, cJSON *result, const int *fds, unsigned n_fds);
/** agent_call_fail() - @code as in formats.md; NULL: by @err's; the call is freed */
void agent_call_fail(AgentCall *call, const char *code, const Error *err);

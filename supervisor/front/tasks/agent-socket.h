#pragma once
/*
 * agent-socket: the front's end of a task's socket, over which warder-agent asks (warder-agent(7)). It
 * speaks for its own task only: there is no id in any request. A fault of the agent ends its task.
 */
#include "supervisor/front/tasks/agent-call.h"

#define AGENT_CALLS_MAX 32u /* requests that wait for an answer */

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

/** agent_socket_send() - queue an answer; NULL (no memory) breaks it. What is closed sends nothing */
void agent_socket_send(AgentSocket *socket, const cJSON *message, const int *fds, unsigned n_fds);
/** agent_socket_task() - that it speaks for */
Task *agent_socket_task(const AgentSocket *socket);
/** agent_socket_calls() - the list's head, for agent-call.c */
AgentCall **agent_socket_calls(AgentSocket *socket);
/** agent_socket_is_closed() - is nothing read or answered any more */
bool agent_socket_is_closed(const AgentSocket *socket);

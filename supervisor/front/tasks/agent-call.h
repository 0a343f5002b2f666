#pragma once
/*
 * agent-call: one request of an agent that waits for its answer. It is freed with the answer, or with its socket.
 */
#include "supervisor/front/tasks/task.h"

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

/** agent_call_new() - of @socket, which owns it. @id: NULL: a notification. Returns: NULL: no memory */
AgentCall *agent_call_new(AgentSocket *socket, const struct AgentMethod *method, const cJSON *id);
/** agent_call_stop() - what was begun for it outside of jails ends: its route, its search */
void agent_call_stop(AgentCall *call);
/** agent_call_free() - without an answer */
void agent_call_free(AgentCall *call);
/** agent_call_is_wanted() - may an answer still be heard; else its run is over, and nothing is to be begun for it */
bool agent_call_is_wanted(const AgentCall *call);
/** agent_call_answer() - @result is consumed; the call is freed */
void agent_call_answer(AgentCall *call, cJSON *result, const int *fds, unsigned n_fds);
/** agent_call_fail() - @code as in formats.md; NULL: by @err's; the call is freed */
void agent_call_fail(AgentCall *call, const char *code, const Error *err);

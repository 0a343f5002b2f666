#pragma once
/*
 * agent-methods: what an agent may ask, as a table. All of it is about the agent's own task.
 */
#include "supervisor/front/tasks/agent-socket.h"

#define AGENT_METHODS_MAX 16u /* rows of the table */

typedef struct AgentMethod {
        const char *name;
        const char *params;  /* JSON Schema text */
        const char *summary; /* for warder-agent(7) */
        /* 0: it answers the call, now or later (the call may be freed already); negative: refused, @err */
        int (*run)(AgentCall *call, const cJSON *params, Error *err);
} AgentMethod;

/** agent_method_waits() - is it one that a suspended task's agent may call and stay suspended */
bool agent_method_waits(const AgentMethod *method);
/** agent_method_at() - row @i of the table; NULL behind the last */
const AgentMethod *agent_method_at(unsigned i);
/** agent_method_find() - NULL where there is none */
const AgentMethod *agent_method_find(const char *name);
/** agent_method_number() - of its row, below AGENT_METHODS_MAX */
unsigned agent_method_number(const AgentMethod *method);

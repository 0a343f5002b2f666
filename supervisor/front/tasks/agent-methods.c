/*
 * agent-methods: see agent-methods.h. A handler that ends the task (a budget is used up) returns 0: the
 * call is gone with the socket.
 */
#include "supervisor/front/tasks/agent-methods.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/tasks/agent-exec.h"
#include "supervisor/front/tasks/agent-search.h"
#include "supervisor/front/tasks/replays.h"
#include "supervisor/front/tasks/task-ask.h"
#include "supervisor/front/tasks/task-commit.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-gate.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-merge.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-receipt.h"

/* ---- open ---------------------------------------------------------------------------------------- */

static void on_open(int fd, uint64_t size, const Error *err, void *userdata) {
        autoclose int owned = fd;
        AgentCall *call = userdata;
        cJSON *json;

        call->jail_call = false;
        if (err) {
                agent_call_fail(call, NULL, err);
                return;
        }
        json = cJSON_CreateObject();
        json_add_number(json, "size", size);
        agent_call_answer(call, json, &owned, 1);
}

static uint32_t open_flags(const cJSON *names) {
        static const struct {
                const char *name;
                uint32_t flag;
        } flags[] = {
                { "read", INIT_OPEN_READ },       { "write", INIT_OPEN_WRITE },
                { "create", INIT_OPEN_CREATE },   { "truncate", INIT_OPEN_TRUNCATE },
                { "parents", INIT_OPEN_PARENTS },
        };
        uint32_t result = 0;
        const cJSON *name;

        cJSON_ArrayForEach(name, names) {
                for (unsigned i = 0; i < ELEMENTS(flags); i++)
                        if (strcmp(name->valuestring, flags[i].name) == 0)
                                result |= flags[i].flag;
        }
        return result;
}

static int run_open(AgentCall *call, const cJSON *params, Error *err) {
        OpenSpec spec = { .path = json_text(params, "path"),
                          .flags = open_flags(json_get(params, "flags")),
                          .mode = 0644,
                          .uid = JAIL_USER_ID,
                          .gid = JAIL_USER_ID };
        TaskPlace place;
        uint64_t mode;
        int r = task_place(call->task, params, &place, err);

        if (r < 0)
                return r;
        if (json_number(params, "mode", &mode) == 0)
                spec.mode = (uint32_t) mode & 0777;
        if (!place.fork && (spec.flags & ~INIT_OPEN_READ))
                task_touched(call->task);
        r = front_jail_open(place.jail, &spec, on_open, call, err);
        call->jail_call = r == 0;
        return r;
}

/* ---- the rest ------------------------------------------------------------------------------------ */

static int run_verify(AgentCall *call, const cJSON *params, Error *err) {
        int r = agent_exec_take_step(call, params, err);

        return r < 0 ? r : task_gate_verify(call, params, err);
}

static int run_finish(AgentCall *call, const cJSON *params, Error *err) {
        const char *state = json_text(params, "state");
        bool is_lost = call->task->jail[0] && !task_jail(call->task);
        FinishClaim claim = { .failed = state && strcmp(state, "failed") == 0,
                              .cause = json_text(params, "cause"),
                              .summary = json_text(params, "summary") };

        (void) json_number(json_get(params, "figures"), "used", &claim.used);
        (void) json_number(json_get(params, "figures"), "most", &claim.most);
        /* what it gives up for is the end of its jail, of which we are about to hear */
        return is_lost ? 0 : task_gate_finish(call, &claim, err);
}

static int run_record(AgentCall *call, const cJSON *params, Error *err) {
        int r = replay_reply(call->task, params, err);

        if (r == 0)
                agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        return r;
}

static int run_idle(AgentCall *call, const cJSON *params, Error *err) {
        Task *task = call->task;

        (void) params;
        (void) err;
        agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        if (!task_is_final(task))
                task_ask_idle(task);
        return 0;
}

/* What lasts is ended; what is short is left to its end, and what has ended is nobody's fault */
static void cancel(AgentCall *call) {
        call->cancelled = true;
        if (call->command)
                command_kill(call->command, CAUSE_KILLED_BY_CLIENT);
        else if (call->method->run == task_ask)
                task_ask_cancel(call);
        else if (call->method->run == run_verify)
                task_gate_cancel(call);
}

/* Each of the two may end the task, and free all calls with it */
static int run_cancel(AgentCall *call, const cJSON *params, Error *err) {
        AgentSocket *socket = call->socket;
        uint64_t id = UINT64_MAX;

        (void) err;
        (void) json_number(params, "call", &id);
        agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        call = agent_socket_call(socket, id);
        if (call)
                cancel(call);
        return 0;
}

/* Forwarded as it is, but bounded. A replayed model costs nothing; its calls are counted all the same */
static int run_event(AgentCall *call, const cJSON *params, Error *err) {
        const cJSON *data = json_get(params, "data");
        autofree char *text = data ? json_print(data) : NULL;
        EventHead head = { .event = json_text(params, "event"),
                           .step = json_text(params, "step"),
                           .from_agent = true };
        Task *task = call->task;

        if (text && strlen(text) > EVENT_BYTES_MAX)
                return error_say(err, -E2BIG, "an event holds at most %u bytes", EVENT_BYTES_MAX);
        (void) json_number(params, "iteration", &head.iteration);
        events_emit(task, &head, data ? cJSON_Duplicate(data, true) : NULL);
        if (strcmp(head.event, "step.start") == 0)
                task_gate_note(task, head.step, json_text(data, "path"), head.iteration);
        if (strcmp(head.event, "model.call") == 0 && task->model.provider == PROVIDER_REPLAY) {
                task_count(task, BUDGET_CALLS, 1);
                if (!task_spend(task, BUDGET_CALLS, 0))
                        return 0;
        }
        agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        return 0;
}

#define OBJECT(REST) "{\"type\":\"object\",\"additionalProperties\":false" REST "}"
#define FORK         "\"fork\":{\"type\":\"integer\",\"minimum\":1}"
#define TEXT(MAX)    "{\"type\":\"string\",\"maxLength\":" #MAX "}"

static const AgentMethod methods[] = {
        { "task.info", OBJECT(""), "The task, its workflow, roles, limits, model and first paths",
          agent_info },
        { "exec",
          OBJECT(",\"properties\":{" FORK ",\"command\":{\"type\":\"string\",\"minLength\":1,"
                 "\"maxLength\":131072},\"argv\":{\"type\":\"array\",\"minItems\":1,"
                 "\"maxItems\":256,\"items\":" TEXT(131072) "},\"cwd\":" TEXT(
                         4095) ",\"timeout_usec\":{\"type\":\"integer\",\"minimum\":1,"
                               "\"maximum\":86400000000},"
                               "\"env\":{\"type\":\"object\",\"maxProperties\":256,"
                               "\"propertyNames\":{\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]{0,255}$\"},"
                               "\"additionalProperties\":{\"type\":[\"string\",\"null\"],"
                               "\"maxLength\":32768}},"
                               "\"model\":{\"type\":\"object\",\"required\":[\"port\"],"
                               "\"additionalProperties\":false,\"properties\":{\"port\":{"
                               "\"type\":\"integer\",\"minimum\":1024,\"maximum\":65535}}},"
                               "\"path\":" TEXT(599) "},"
                                                     "\"oneOf\":[{\"required\":[\"command\"]},{"
                                                     "\"required\":[\"argv\"]}"
                                                     "]"),
          "A command in the task's jail", agent_exec },
        { "open",
          OBJECT(",\"required\":[\"path\",\"flags\"],\"properties\":{" FORK
                 ",\"path\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4095},"
                 "\"flags\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":5,\"items\":{"
                 "\"enum\":[\"read\",\"write\",\"create\",\"truncate\",\"parents\"]}},"
                 "\"mode\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":511}}"),
          "A file of the task's jail, as a descriptor", run_open },
        { "search",
          OBJECT(",\"required\":[\"kind\",\"pattern\"],\"properties\":{" FORK
                 ",\"kind\":{\"enum\":[\"glob\",\"grep\"]},"
                 "\"pattern\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1024},"
                 "\"path\":" TEXT(4000) ",\"glob\":" TEXT(
                         1024) ",\"ignore_case\":{\"type\":\"boolean\"}}"),
          "Names or text in the task's tree", agent_search },
        { "verify", OBJECT(",\"properties\":{" FORK ",\"path\":" TEXT(599) "}"),
          "A verdict for what is in /work now; counts", run_verify },
        { "fork", OBJECT(",\"properties\":{\"end\":{\"type\":\"integer\",\"minimum\":1}}"),
          "A fork of the workspace as it is now; or the end of one", task_fork },
        { "merge", OBJECT(",\"required\":[\"fork\"],\"properties\":{" FORK "}"),
          "What a fork changed, merged with what /work is now", task_merge },
        { "checkpoint", task_commit_schema,
          "A step has committed: its output, and what the agent wants to find again", task_commit },
        { "record",
          OBJECT(",\"required\":[\"role\",\"turn\",\"expect\",\"reply\"],\"properties\":{"
                 "\"role\":" TEXT(
                         64) ",\"turn\":{\"type\":\"integer\",\"minimum\":1},"
                             "\"expect\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4096},"
                             "\"reply\":{\"type\":\"object\"}}"),
          "A reply of the model, to be replayed (a notification)", run_record },
        { "ask", task_ask_schema, "Ask people, and wait for what they say", task_ask },
        { "cancel",
          OBJECT(",\"required\":[\"call\"],\"properties\":{\"call\":{\"type\":\"integer\","
                 "\"minimum\":0}}"),
          "The answer to a request is not wanted any more: end what lasts", run_cancel },
        { "idle", OBJECT(""), "Nothing runs but questions: the task may be suspended", run_idle },
        { "event",
          OBJECT(",\"required\":[\"event\"],\"properties\":{"
                 "\"event\":{\"enum\":[\"step.start\",\"step.end\",\"model.call\",\"tool.call\","
                 "\"tool.result\",\"notice\"]},\"step\":" TEXT(
                         256) ",\"iteration\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":"
                              "1000000},"
                              "\"data\":{\"type\":\"object\"}}"),
          "Something that watchers may want to know (a notification)", run_event },
        { "finish",
          OBJECT(",\"required\":[\"state\"],\"properties\":{"
                 "\"state\":{\"enum\":[\"done\",\"failed\"]},"
                 "\"cause\":{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9_]{0,40}$\"},"
                 "\"figures\":{\"type\":\"object\",\"required\":[\"used\",\"most\"],"
                 "\"additionalProperties\":false,\"properties\":{"
                 "\"used\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000},"
                 "\"most\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000}}},"
                 "\"summary\":" TEXT(65536) "}"),
          "The agent says that it is done: a claim, which is checked", run_finish },
};
_Static_assert(ELEMENTS(methods) <= AGENT_METHODS_MAX, "a socket has room for each one's schema");

const AgentMethod *agent_method_at(unsigned i) {
        return i < ELEMENTS(methods) ? &methods[i] : NULL;
}

bool agent_method_waits(const AgentMethod *method) {
        return method->run == task_ask || method->run == run_idle;
}

const AgentMethod *agent_method_find(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(methods); i++)
                if (strcmp(methods[i].name, name) == 0)
                        return &methods[i];
        return NULL;
}

unsigned agent_method_number(const AgentMethod *method) {
        return (unsigned) (method - methods);
}

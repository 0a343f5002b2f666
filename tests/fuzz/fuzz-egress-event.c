/*
 * egress-event: events as a hostile egress sends them to the front, about tasks of each kind: one whose route was
 * asked for, one that never had any, one that has ended. Input: events of EVENT bytes each (see tell()). Only a
 * task with a route hears anything; its agent is started once; what is charged is never less than what was
 * told; a message that is no event ends every route, once.
 */
#include "supervisor/front/egress-link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/tasks/agent-exec.h"
#include "supervisor/front/tasks/task-model.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-start.h"
#include "tests/fuzz/fuzz.h"

#define EVENT 24 /* kind, task, descriptors, length, code, numbers, text */

enum { ROUTED, OTHER, UNROUTED, ENDED, TASKS, COMMANDED };

static Front front;
static Task tasks[TASKS];
static unsigned starts[TASKS], ends[TASKS];
static EgressEvent told;    /* the last one */
static AgentCall commanded; /* of OTHER: a command with a route of its own */

static void must(bool good) {
        if (!good)
                abort();
}

/* ---- the front's other parts, played ---------------------------------------------------------------- */

static unsigned index_of(const Task *task) {
        must(task >= tasks && task < tasks + TASKS);
        return (unsigned) (task - tasks);
}

static void must_be_routed(const Task *task) {
        must(index_of(task) == ROUTED || index_of(task) == OTHER);
        must(memchr(told.text, 0, sizeof(told.text)) != NULL || told.text[0]);
}

bool task_is_final(const Task *task) {
        return task->state >= TASK_VERIFIED;
}

Task *tasks_find_number(Tasks *of, uint64_t number) {
        (void) of;
        return number < TASKS ? &tasks[number] : NULL;
}

AgentCall *tasks_find_call(Tasks *of, uint64_t route) {
        (void) of;
        return commanded.route == route && !task_is_final(commanded.task) ? &commanded : NULL;
}

/* The command's exec waits for its route, and starts once. */
void agent_exec_opened(AgentCall *call, const EgressEvent *event) {
        must(call == &commanded && event->kind == EGRESS_OPENED);
}

void agent_exec_called(AgentCall *call, const EgressEvent *event) {
        must(call == &commanded && event->kind == EGRESS_CALL);
}

Task *tasks_find_routed(Tasks *of) {
        (void) of;
        for (unsigned i = 0; i < TASKS; i++)
                if (tasks[i].egress_open && !task_is_final(&tasks[i]))
                        return &tasks[i];
        return NULL;
}

static void end(Task *task) {
        must_be_routed(task);
        must(!task_is_final(task) && ends[index_of(task)]++ == 0);
        task->state = TASK_ERROR;
}

void task_fail(Task *task, const char *cause, const Error *err) {
        must(strncmp(cause, "egress", 6) == 0 && err->text[0]);
        end(task);
}

/* Its route is gone with it: whether the task goes on from a commit is its own affair. */
void task_lost(Task *task, const char *cause, const char *why) {
        must(strcmp(cause, "egress_lost") == 0 && why[0]);
        end(task);
}

void task_trip(Task *task, const char *limit, const char *why) {
        must(limit[0] && why[0] && strlen(why) < ERROR_TEXT_MAX);
        end(task);
}

bool task_has_budget(const Task *task, TaskBudget budget) {
        return budget != BUDGET_MONEY || index_of(task) == OTHER;
}

const char *task_budget_text(const Task *task, TaskBudget budget, uint64_t value, char *text) {
        must(budget == BUDGET_MONEY && task_has_budget(task, budget));
        return money_format(value, "ABCDEFGH", text);
}

/* All that it cost is there before anything is looked at */
void task_count(Task *task, TaskBudget budget, uint64_t n) {
        const uint64_t *used = task->used;

        must_be_routed(task);
        must(budget == BUDGET_CALLS && n == 1);
        must(used[BUDGET_TOKENS] >= told.tokens_in && used[BUDGET_TOKENS] >= told.tokens_out);
        must(task_has_budget(task, BUDGET_MONEY) ? used[BUDGET_MONEY] >= told.money
                                                 : used[BUDGET_MONEY] == 0);
}

bool task_spend(Task *task, TaskBudget budget, uint64_t n) {
        must_be_routed(task);
        must(n == 0);
        if (task->used[budget] < 1000)
                return true;
        end(task);
        return false;
}

void events_emit(Task *task, const EventHead *head, cJSON *data) {
        autofree char *text = cJSON_PrintUnformatted(data);
        SCOPED(json_free) cJSON *again = NULL;

        must_be_routed(task);
        must(text && (strcmp(head->event, "model.call") == 0 ||
                      (strcmp(head->event, "notice") == 0 && head->from_agent)));
        must(json_parse(text, strlen(text), 0, &again, NULL) == 0);
        json_free(data);
}

void task_start_agent(Task *task) {
        must_be_routed(task);
        must(task->state == TASK_PREPARING && starts[index_of(task)]++ == 0);
        task->state = TASK_RUNNING;
}

const char *task_limit_name(TaskBudget budget) {
        (void) budget;
        return "calls";
}

void task_pending_done(Task *task) {
        (void) task;
        must(false); /* nothing of a jail is asked for here */
}

int front_jail_listen(FrontJail *jail, uint32_t port, JailListenFn done, void *userdata,
                      Error *err) {
        (void) jail;
        (void) port;
        (void) done;
        (void) userdata;
        return error_say(err, -ENOTSUP, "played");
}

/* ---- the target ------------------------------------------------------------------------------------- */

/* Small and very large numbers from a byte. */
static uint64_t number_of(uint8_t byte) {
        return byte < 0xf0 ? byte : UINT64_MAX << (byte & 15) << 1;
}

static void tell(int egress, const uint8_t *data) {
        char bytes[sizeof(EgressEvent) + 1] = { 0 };
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[FDS_MAX];
        size_t n = sizeof(EgressEvent);

        told = (EgressEvent){ .kind = data[0],
                              .id = data[1],
                              .code = (int8_t) data[4],
                              .calls = number_of(data[5]),
                              .tokens_in = number_of(data[6]),
                              .tokens_out = number_of(data[7]),
                              .wall_usec = number_of(data[8]),
                              .attempts = data[9],
                              .tokens_cached = number_of(data[5]),
                              .money = number_of(data[9]) };
        for (size_t i = 0; i < sizeof(told.text); i++) /* may be unterminated, and any bytes */
                told.text[i] = data[10] & 1 ? (char) data[11 + i % 13] : 0;
        for (unsigned i = 0; i < FDS_MAX; i++)
                fds[i] = null;
        memcpy(bytes, &told, n);
        if (data[3] > 0xf0)
                n = data[3] == 0xff ? n + 1 : n - (data[3] & 15);
        (void) fds_send(egress, bytes, n, fds, data[2] > 0xf0 ? data[2] & 15 : 0);
        (void) close(null);
        while (sd_event_run(front.event, 0) > 0)
                ;
}

static void start(int ours, sd_event_source **ret) {
        memset(tasks, 0, sizeof(tasks));
        memset(starts, 0, sizeof(starts));
        memset(ends, 0, sizeof(ends));
        for (unsigned i = 0; i < TASKS; i++)
                tasks[i] = (Task){ .front = &front, .number = i, .state = TASK_PREPARING };
        tasks[ROUTED].egress_open = tasks[OTHER].egress_open = tasks[ENDED].egress_open = true;
        tasks[ENDED].state = TASK_CANCELLED;
        commanded = (AgentCall){ .task = &tasks[OTHER], .route = COMMANDED };
        front.egress_fd = ours;
        must(egress_link_start(&front, ret, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        sd_event_source *source;
        int ends_of_pair[2], before;

        if (!front.event)
                must(sd_event_new(&front.event) >= 0);
        before = dup(0);
        (void) close(before);
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_of_pair) == 0);
        start(ends_of_pair[0], &source);
        for (; n >= EVENT && front.egress_fd >= 0; data += EVENT, n -= EVENT)
                tell(ends_of_pair[1], data);
        (void) close(ends_of_pair[1]);
        while (sd_event_run(front.event, 0) > 0)
                ;
        must(front.egress_fd < 0 && !tasks_find_routed(NULL)); /* its end is heard */
        sd_event_source_disable_unref(source);
        ends_of_pair[0] = dup(0);
        must(ends_of_pair[0] == before); /* the lowest free descriptor is the one it was */
        (void) close(ends_of_pair[0]);
        return 0;
}

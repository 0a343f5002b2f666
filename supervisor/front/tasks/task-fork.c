/*
 * task-fork: see task-fork.h.
 *
 *   asked for -> the workspace is saved as a layer -> a jail on it is made -> answered -> ended: its jail goes, then
 *   the layer is let go, then the struct
 *
 * While its jail is being made or is there, a fork counts as pending of its task: the callback that says that
 * nothing of the jail is left frees it.
 */
#include "supervisor/front/tasks/task-fork.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/jails/jail-calls.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/tasks/task-gate.h"
#include "supervisor/front/tasks/task-progress.h"

struct TaskFork {
        TaskFork *next;
        Task *task; /* borrowed: it stays as long as something is pending */
        uint64_t number;
        WorkLayer *saving; /* owned */
        FrontJail *making; /* borrowed */
        char jail[ID_MAX]; /* "" until it is ready */
        JailHold *hold;    /* owned: while its task stands still */
        AgentCall *call;   /* who waits for it; NULL: answered, or gone with the socket */
        uint8_t layer[DIGEST_SIZE];
        bool has_layer;
        bool ended;
        uint64_t cpu_usec;
};

/* ---- life ---------------------------------------------------------------------------------------- */

/* Of one whose jail is gone, or was never made. */
static void fork_free(TaskFork *fork) {
        Task *task = fork->task;
        TaskFork **at = &task->forks;

        while (*at && *at != fork)
                at = &(*at)->next;
        if (*at)
                *at = fork->next;
        task->meter.cpu_usec += fork->cpu_usec;
        if (fork->has_layer && task->front->tasks)
                hold_drop(tasks_holds(task->front->tasks), fork->layer, task->owner_uid);
        (void) work_layer_cancel(fork->saving);
        jail_hold_free(fork->hold);
        free(fork);
}

static TaskFork *find(const Task *task, uint64_t number) {
        for (TaskFork *fork = task->forks; fork; fork = fork->next)
                if (fork->number == number && !fork->ended)
                        return fork;
        return NULL;
}

static void read_cpu(TaskFork *fork) {
        task_meter_jail(fork->task, fork->jail, &fork->cpu_usec);
}

static void end(TaskFork *fork) {
        if (fork->ended)
                return;
        fork->ended = true;
        fork->call = NULL;
        task_gate_end_fork(fork->task, fork->number);
        read_cpu(fork);
        if (fork->making)
                front_jail_end(fork->making, NULL, NULL); /* its ready callback comes */
        else if (fork->jail[0])
                gate_jail_end(fork->task->front, fork->jail); /* it is watched */
        else
                fork_free(fork);
}

static void fail(TaskFork *fork, const Error *err) {
        AgentCall *call = TAKE_PTR(fork->call);

        end(fork);
        if (call)
                agent_call_fail(call, NULL, err);
}

void task_forks_stop(Task *task) {
        TaskFork *next;

        for (TaskFork *fork = task->forks; fork; fork = next) {
                next = fork->next;
                end(fork);
        }
}

int task_forks_hold(Task *task, bool hold, Error *err) {
        int r = 0;

        for (TaskFork *fork = task->forks; fork && r == 0; fork = fork->next) {
                FrontJail *jail = fork->ended || !fork->jail[0]
                                          ? NULL
                                          : front_jail_find(task->front, fork->jail, 0);

                fork->hold = jail_hold_free(fork->hold);
                if (hold && jail && front_jail_state(jail) == FRONT_JAIL_READY)
                        r = jail_hold_new(jail, &fork->hold, err);
        }
        return r;
}

uint64_t task_forks_used(const Task *task) {
        uint64_t sum = 0;

        for (const TaskFork *fork = task->forks; fork; fork = fork->next)
                sum += fork->cpu_usec;
        return sum;
}

uint64_t task_forks_meter(Task *task) {
        for (TaskFork *fork = task->forks; fork; fork = fork->next)
                if (!fork->ended)
                        read_cpu(fork);
        return task_forks_used(task);
}

/* ---- making one ---------------------------------------------------------------------------------- */

static void on_gone(void *userdata) {
        TaskFork *fork = userdata;
        Task *task = fork->task;

        fork_free(fork);
        task_pending_done(task);
}

static void answer(TaskFork *fork) {
        AgentCall *call = TAKE_PTR(fork->call);
        cJSON *json = cJSON_CreateObject();

        json_add_number(json, "fork", fork->number);
        if (call)
                agent_call_answer(call, json, NULL, 0);
        else
                json_free(json);
}

static void on_made(FrontJail *jail, const Error *err, void *userdata) {
        TaskFork *fork = userdata;
        AgentCall *call = fork->call;
        Error own = ERROR_EMPTY;

        fork->making = NULL;
        if (err) {
                on_gone(fork);
                if (call)
                        agent_call_fail(call, "jail", err);
                return;
        }
        if (fork->ended || front_jail_watch(jail, on_gone, fork) < 0) {
                fork->ended = true;
                front_jail_end(jail, on_gone, fork);
                error_set(&own, -ENOMEM, "watch a jail");
                if (call)
                        agent_call_fail(call, NULL, &own);
                return;
        }
        (void) snprintf(fork->jail, sizeof(fork->jail), "%s", front_jail_id(jail));
        answer(fork);
}

static int make_jail(TaskFork *fork, Error *err) {
        Task *task = fork->task;
        const TaskPlace place = { .fork = fork->number, .work = fork->layer };
        GateLayers layers = task_place_layers(task, &place, true);
        GateRoot root = { .snapshot = task->snapshot,
                          .policy = &task->policy,
                          .limits = &task->limits,
                          .layers = &layers,
                          .owner_uid = task->owner_uid };
        int r = gate_jail_new(task->front, &root, on_made, fork, &fork->making, err);

        if (r == 0)
                task->pending++;
        return r;
}

static void on_saved(const WorkLayerEnd *saved, void *userdata) {
        TaskFork *fork = userdata;
        Error err = ERROR_EMPTY;

        fork->saving = NULL;
        if (saved->err) {
                fail(fork, saved->err);
                return;
        }
        memcpy(fork->layer, saved->digest, DIGEST_SIZE);
        fork->has_layer = true;
        if (make_jail(fork, &err) < 0)
                fail(fork, &err);
}

static unsigned count(const Task *task) {
        unsigned n = 0;

        for (const TaskFork *fork = task->forks; fork; fork = fork->next)
                n++;
        return n;
}

static int make(AgentCall *call, Error *err) {
        Task *task = call->task;
        TaskFork *fork;
        int r;

        if (count(task) >= TASK_FORKS_MAX)
                return error_say(err, -EBUSY, "a task has at most %u forks at a time",
                                 TASK_FORKS_MAX);
        fork = calloc(1, sizeof(*fork));
        if (!fork)
                return error_set(err, -ENOMEM, "fork the workspace");
        *fork = (TaskFork){ .task = task, .number = ++task->n_forks, .next = task->forks };
        task->forks = fork;
        r = work_layer_save(task, on_saved, fork, &fork->saving, err);
        if (r < 0)
                fork_free(fork);
        else
                fork->call = call;
        return r;
}

static int end_one(AgentCall *call, uint64_t number, Error *err) {
        TaskFork *fork = find(call->task, number);

        if (!fork || fork->call)
                return error_say(err, -ENOENT, "the task has no fork %llu",
                                 (unsigned long long) number);
        end(fork);
        agent_call_answer(call, cJSON_CreateObject(), NULL, 0);
        return 0;
}

int task_fork(AgentCall *call, const cJSON *params, Error *err) {
        uint64_t number;

        return json_number(params, "end", &number) == 0 ? end_one(call, number, err)
                                                        : make(call, err);
}

/* ---- using one ----------------------------------------------------------------------------------- */

int task_place(const Task *task, const cJSON *params, TaskPlace *ret, Error *err) {
        TaskPlace place = { .work = task->steps.has_under ? task->steps.under : NULL };
        const TaskFork *fork = NULL;

        if (json_number(params, "fork", &place.fork) == 0) {
                fork = find(task, place.fork);
                if (!fork || !fork->jail[0])
                        return error_say(err, -ENOENT, "the task has no fork %llu",
                                         (unsigned long long) place.fork);
                place.work = fork->layer;
        }
        place.jail = fork ? front_jail_find(task->front, fork->jail, 0) : task_jail(task);
        if (!place.jail || front_jail_state(place.jail) != FRONT_JAIL_READY)
                return error_say(err, -ESRCH, "the %s jail has ended", fork ? "fork's" : "task's");
        *ret = place;
        return 0;
}

GateLayers task_place_layers(const Task *task, const TaskPlace *place, bool with_setup) {
        GateLayers layers = { .n = 0 }, base = work_base_layers(&task->base, with_setup);

        if (place->work)
                gate_layers_add(&layers, place->work);
        for (unsigned i = 0; i < base.n; i++)
                gate_layers_add(&layers, base.digests[i]);
        return layers;
}

#pragma once
/*
 * task-fork: forks of a task's workspace. A fork is one more jail of the same task, by the same policy and limits,
 * that stands on a layer of the work as it is at that moment. What is done in it changes nothing of the task's own
 * workspace until it is merged (task-merge.h); budgets are the task's. A fork is not kept when its task is
 * interrupted: what was not merged is done again.
 */
#include "supervisor/front/gate/work-layer.h"
#include "supervisor/front/tasks/agent-socket.h"

#define TASK_FORKS_MAX 12u

typedef struct TaskFork TaskFork;

/** task_fork() - the method fork: make one, or with "end" end one. Returns: as AgentMethod.run */
int task_fork(AgentCall *call, const cJSON *params, Error *err);

typedef struct TaskPlace {   /* a workspace of a task: its own, or a fork */
        FrontJail *jail;     /* ready */
        uint64_t fork;       /* 0: the task's own */
        const uint8_t *work; /* layer that it stands on above setup, borrowed; NULL: none */
} TaskPlace;

/**
 * task_place() - the workspace that "fork" of a request names; without it the task's own
 * Returns: 0; -ENOENT: there is no such fork; -ESRCH: its jail has ended.
 */
int task_place(const Task *task, const cJSON *params, TaskPlace *ret, Error *err);
/** task_place_layers() - what such a workspace stands on above the snapshot */
GateLayers task_place_layers(const Task *task, const TaskPlace *place, bool with_setup);

/** task_forks_stop() - end them all; what still answers finds nothing */
void task_forks_stop(Task *task);
/** task_forks_hold() - their clocks stand still, and their commands; or run again. Returns: 0 or negative errno */
int task_forks_hold(Task *task, bool hold, Error *err);
/** task_forks_meter() - processor time of all forks so far, those that have ended included */
uint64_t task_forks_meter(Task *task);
/** task_forks_used() - the same, as last read */
uint64_t task_forks_used(const Task *task);

/*
 * task-still: see task-still.h.
 */
#include "supervisor/front/tasks/task-still.h"

#include "supervisor/front/jails/jail-calls.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/jails/jail-wall.h"
#include "supervisor/front/tasks/agent-socket.h"
#include "supervisor/front/tasks/task-ask.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-start.h"

static int hold_jails(Task *task, bool hold, Error *err) {
        FrontJail *agent = front_jail_find(task->front, task->agent_jail, 0),
                  *jail = task_jail(task);
        int r = 0;

        if (agent)
                jail_wall_hold(agent, hold);
        task->hold = jail_hold_free(task->hold);
        if (hold && jail)
                r = jail_hold_new(jail, &task->hold, err);
        return r < 0 ? r : task_forks_hold(task, hold, err);
}

void task_still_begin(Task *task) {
        Error err = ERROR_EMPTY;

        task->holds++;
        task_park_keep(task); /* who started it may go: it will be answered another day */
        task_stop_clock(task);
        if (hold_jails(task, true, &err) < 0) {
                task_fail(task, "internal", &err);
                return;
        }
        task->is_still = true;
        task_set_state(task, TASK_SUSPENDED);
        tasks_next(task->front->tasks);
}

bool task_still_wake(Task *task) {
        task->is_idle = false;
        if (!task->is_still)
                return !task_is_final(task);
        task->wants_place = true;
        tasks_next(task->front->tasks);
        return !task->is_still && !task_is_final(task);
}

void task_still_place(Task *task) {
        Error err = ERROR_EMPTY;
        int r;

        task->is_still = task->wants_place = false;
        r = hold_jails(task, false, &err);
        task_set_state(task, TASK_RUNNING);
        if (r == 0)
                r = task_start_clock(task, &err);
        if (r < 0) {
                task_fail(task, "internal", &err);
                return;
        }
        task_ask_tell(task);
        agent_socket_go_on(task->socket);
}

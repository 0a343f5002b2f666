/*
 * tasks: see tasks.h.
 */
#include "supervisor/front/tasks/tasks.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/gate/setup-cache.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/tasks/after-end.h"
#include "supervisor/front/tasks/agent-socket.h"
#include "supervisor/front/tasks/replays.h"
#include "supervisor/front/tasks/task-ask.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-saves.h"
#include "supervisor/front/tasks/task-start.h"
#include "supervisor/front/tasks/task-still.h"
#include "supervisor/front/tasks/task.h"
#include "supervisor/front/tasks/waiting.h"

struct Tasks {
        Front *front;     /* borrowed, outlives us */
        Holds *holds;     /* owned */
        BaseCache *bases; /* owned, before holds, as the next */
        ShieldCache *shields;
        Task *first; /* owned list, oldest first */
        sd_event_source *egress;
        sd_event_source *take_up; /* once, at the start */
        bool stopping;            /* nothing is started any more */
};

/* ---- after a front that is lost ------------------------------------------------------------------ */

/* One that cannot be taken up ends as lost, like those that nobody wanted to be kept */
static void load_one(Tasks *tasks, const char *id) {
        SCOPED(task_free) Task *task = NULL;
        Error err = ERROR_EMPTY;

        if (task_saves_load(tasks->front, id, &task, &err) < 0 ||
            tasks_return(tasks, task, &err) < 0) {
                log_event(LOG_ERR, "a task cannot be taken up again", F("TASK", id), F_ERR(&err));
                task_saves_give_up(tasks->front, id);
                return;
        }
        (void) TAKE_PTR(task);
}

static void load_all(Tasks *tasks) {
        char(*ids)[ID_MAX] = calloc(TASKS_MAX, sizeof(*ids));
        unsigned n = ids ? task_saves_alive(tasks->front, ids, TASKS_MAX) : 0;

        for (unsigned i = 0; i < n; i++)
                load_one(tasks, ids[i]);
        free(ids);
}

/* When all else of the front is there */
static int on_take_up(sd_event_source *source, void *userdata) {
        Tasks *tasks = userdata;

        (void) source;
        for (Task *task = tasks->first, *next; task; task = next) {
                next = task->next;
                if (task->was_running || task_ask_is_over(task))
                        task_take_up(task);
        }
        return 0;
}

static int recover(Tasks *tasks, Error *err) {
        int r;

        tasks->front->tasks = tasks; /* tasks that are loaded hold layers */
        load_all(tasks);
        r = task_ledger_recover(tasks->front, err);
        if (r == 0)
                r = receipts_recover(tasks->front, err);
        if (r == 0)
                r = waiting_new(tasks->front, &tasks->front->waiting, err);
        tasks->front->tasks = NULL;
        if (r < 0)
                return r;
        r = sd_event_add_defer(tasks->front->event, &tasks->take_up, on_take_up, tasks);
        return r < 0 ? error_set(err, r, "take tasks up again") : 0;
}

int tasks_new(Front *front, Tasks **ret, Error *err) {
        Tasks *tasks = calloc(1, sizeof(*tasks));
        int r;

        if (!tasks)
                return error_set(err, -ENOMEM, "open the gate");
        tasks->front = front;
        r = holds_new(front, &tasks->holds, err);
        if (r == 0)
                r = setup_layers_hold(front, tasks->holds, err);
        if (r == 0 && base_cache_new(tasks->holds, &tasks->bases) < 0)
                r = error_set(err, -ENOMEM, "keep bases");
        if (r == 0 && shield_cache_new(tasks->holds, &tasks->shields) < 0)
                r = error_set(err, -ENOMEM, "keep shields");
        if (r == 0)
                r = replays_hold(front, tasks->holds, err);
        if (r == 0)
                r = task_history_hold(front, tasks->holds, err);
        if (r == 0)
                r = recover(tasks, err);
        if (r == 0)
                r = egress_link_start(front, &tasks->egress, err);
        if (r < 0) {
                tasks_free(tasks);
                return error_add(err, r, "open the gate");
        }
        *ret = tasks;
        return 0;
}

void tasks_renew_egress(Front *front, int fd) {
        Tasks *tasks = front->tasks;
        Error err = ERROR_EMPTY;
        int copy = tasks ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -EBADF;

        if (copy < 0)
                return;
        tasks->egress = sd_event_source_disable_unref(tasks->egress);
        egress_link_renew_consume(front, copy);
        if (egress_link_start(front, &tasks->egress, &err) < 0)
                log_event(LOG_ERR, "the new egress cannot be used", F_ERR(&err));
        for (Task *task = tasks->first, *next; task; task = next) {
                next = task->next;
                task_start_route(task); /* one that waits for it goes on */
        }
}

/* What is kept goes on with the next front: its row says that it runs */
static void stop_one(Task *task) {
        Error err = ERROR_EMPTY;

        if (!task->keep || !task->base.has_base || task_is_final(task)) {
                task_end(task, TASK_ERROR, "supervisor_lost",
                         "the supervisor ended while the task ran");
                return;
        }
        task_stop_run(task);
        if (task_saves_counters(task, &err) < 0)
                log_event(LOG_ERR, "the ledger does not take what a task has used",
                          F("TASK", task->id), F_ERR(&err));
}

void tasks_stop(Tasks *tasks) {
        if (tasks)
                tasks->stopping = true;
        for (Task *task = tasks ? tasks->first : NULL; task; task = task->next)
                stop_one(task);
}

Tasks *tasks_free(Tasks *tasks) {
        if (!tasks)
                return NULL;
        while (tasks->first) {
                Task *task = tasks->first;

                tasks->first = task->next;
                work_base_release(tasks->holds, &task->base);
                task_free(task);
        }
        sd_event_source_disable_unref(tasks->egress);
        tasks->front->waiting = waiting_free(tasks->front->waiting);
        sd_event_source_disable_unref(tasks->take_up);
        base_cache_free(tasks->bases);
        shield_cache_free(tasks->shields);
        holds_free(tasks->holds);
        free(tasks);
        return NULL;
}

/* Who waits for a person does so in the ledger as well */
bool tasks_busy(const Tasks *tasks) {
        const Task *task = tasks ? tasks->first : NULL;

        while (task && task->state == TASK_SUSPENDED && task->pending == 0 && !task->was_running)
                task = task->next;
        return task;
}

unsigned tasks_count(const Tasks *tasks, uint32_t uid) {
        unsigned n = 0;

        for (const Task *task = tasks->first; task; task = task->next)
                n += !task_is_final(task) && (uid == 0 || task->owner_uid == uid);
        return n;
}

BaseCache *tasks_bases(Tasks *tasks) {
        return tasks->bases;
}

ShieldCache *tasks_shields(Tasks *tasks) {
        return tasks->shields;
}

Holds *tasks_holds(Tasks *tasks) {
        return tasks->holds;
}

Task *tasks_find(Tasks *tasks, const char *id, uint32_t uid) {
        for (Task *task = tasks->first; task; task = task->next)
                if (strcmp(task->id, id) == 0)
                        return uid == 0 || task->owner_uid == uid ? task : NULL;
        return NULL;
}

Task *tasks_find_number(Tasks *tasks, uint64_t number) {
        Task *task = tasks->first;

        while (task && task->number != number)
                task = task->next;
        return task;
}

AgentCall *tasks_find_call(Tasks *tasks, uint64_t route) {
        AgentCall *call = NULL;

        for (Task *task = tasks->first; task && !call; task = task->next)
                call = agent_socket_route(task->socket, route);
        return call;
}

Task *tasks_find_routed(Tasks *tasks) {
        Task *task = tasks->first;

        while (task && (task_is_final(task) || !task->egress_open))
                task = task->next;
        return task;
}

/* ---- the queue ----------------------------------------------------------------------------------- */

static int check_room(const Tasks *tasks, uint32_t uid, Error *err) {
        if (tasks_count(tasks, 0) >= TASKS_MAX)
                return error_say(err, -EBUSY, "there is no room for another task: try later");
        if (uid != 0 && tasks_count(tasks, uid) >= TASKS_PER_UID_MAX)
                return error_say(err, -EDQUOT, "you have %d tasks already: wait, or cancel some",
                                 TASKS_PER_UID_MAX);
        return 0;
}

static void append(Tasks *tasks, Task *task) {
        Task **at = &tasks->first;

        while (*at)
                at = &(*at)->next;
        *at = task;
}

int tasks_return(Tasks *tasks, Task *task, Error *err) {
        int r = check_room(tasks, task->owner_uid, err);

        if (r >= 0)
                r = quota_charge_task(tasks->front, task->owner_uid, err);
        if (r < 0)
                return r;
        append(tasks, task);
        return 0;
}

/* Charged once it is in the list: whatever ends it gives it back in tasks_drop(). */
static int charge(Tasks *tasks, Task *task, Error *err) {
        int r = check_room(tasks, task->owner_uid, err);

        if (r >= 0)
                r = quota_charge_task(tasks->front, task->owner_uid, err);
        if (r < 0)
                return r;
        r = task_ledger_save(task, err);
        if (r == 0 && task_receipt_begin(task) < 0)
                r = error_say(err, -EIO, "the task's receipt could not be begun");
        if (r < 0)
                quota_release_task(tasks->front, task->owner_uid);
        return r;
}

int tasks_add_consume(Tasks *tasks, Task *task, Error *err) {
        int r;

        r = charge(tasks, task, err);
        if (r < 0) {
                task_free(task);
                return r;
        }
        append(tasks, task);
        events_emit_state(task);
        tasks_next(tasks);
        return 0;
}

static bool has_place(const Task *task) {
        return task->state == TASK_PREPARING || task->state == TASK_RUNNING;
}

static unsigned running(const Tasks *tasks) {
        unsigned n = 0;

        for (const Task *task = tasks->first; task; task = task->next)
                n += has_place(task);
        return n;
}

static unsigned running_of(const Tasks *tasks, uint32_t uid) {
        unsigned n = 0;

        for (const Task *task = tasks->first; task; task = task->next)
                n += has_place(task) && task->owner_uid == uid;
        return n;
}

static bool has_share(const Tasks *tasks, const Task *task, unsigned own) {
        return task->owner_uid != 0 && !tasks->front->info.private_call &&
               own >= TASKS_RUNNING_PER_UID_MAX;
}

static bool wants_place(const Task *task) {
        return task->state == TASK_QUEUED || task->wants_place;
}

/* Of those that wait, the oldest of the user with the fewest that run; NULL: nobody may begin */
static Task *choose(const Tasks *tasks) {
        unsigned fewest = UINT_MAX;
        Task *chosen = NULL;

        for (Task *task = tasks->first; task; task = task->next) {
                unsigned own;

                if (!wants_place(task))
                        continue;
                own = running_of(tasks, task->owner_uid);
                if (own >= fewest || has_share(tasks, task, own))
                        continue;
                fewest = own;
                chosen = task;
        }
        return chosen;
}

void tasks_next(Tasks *tasks) {
        while (!tasks->stopping && running(tasks) < TASKS_RUNNING_MAX) {
                Task *task = choose(tasks);

                if (!task)
                        return;
                if (task->is_still)
                        task_still_place(task);
                else
                        task_start(
                                task); /* nothing is freed from either: that has a source of its own */
                if (wants_place(task))
                        return;
        }
}

void tasks_drop(Tasks *tasks, Task *task) {
        Task **at = &tasks->first;
        char id[ID_MAX];

        while (*at && *at != task)
                at = &(*at)->next;
        if (*at) {
                *at = task->next;
                quota_release_task(tasks->front, task->owner_uid);
        }
        (void) snprintf(id, sizeof(id), "%s", task->id);
        task_free(task);
        after_end_go(tasks->front, id);
        front_touch(tasks->front);
}

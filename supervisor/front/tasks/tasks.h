#pragma once
/*
 * tasks: owner of the gate: the tasks that are alive, who waits for a place to run, and the layers that
 * they stand on. A task that has ended is a row of the ledger and no more.
 */
#include "supervisor/front/gate/base-cache.h"
#include "supervisor/front/gate/shield.h"
#include "supervisor/front/gate/verify-methods.h"
#include "supervisor/front/tasks/task-methods.h"

#define TASKS_RUNNING_MAX         8 /* the others are queued */
#define TASKS_RUNNING_PER_UID_MAX 6 /* of one user that is not root: another always finds a place */
#define TASKS_MAX                 128 /* alive, queued ones too */
#define TASKS_PER_UID_MAX         32

typedef struct Task Task; /* task.h */

/**
 * tasks_new() - open the gate
 *
 * Tasks that the ledger calls alive belonged to a front that is lost. Those that are kept are taken up from their last
 * commit; the others become `error` with `supervisor_lost`.
 */
int tasks_new(Front *front, Tasks **ret, Error *err);
/** tasks_stop() - the front ends: what is alive, and not kept, ends with `supervisor_lost`; NULL is fine */
void tasks_stop(Tasks *tasks);
/** tasks_renew_egress() - the monitor has started another egress: @fd leads to it, borrowed */
void tasks_renew_egress(Front *front, int fd);
/** tasks_free() - at the end of the front; NULL is fine. Returns: NULL */
Tasks *tasks_free(Tasks *tasks);
/** tasks_busy() - is a task alive that needs the supervisor */
bool tasks_busy(const Tasks *tasks);
/** tasks_count() - tasks that are alive and that @uid may see (0: all) */
unsigned tasks_count(const Tasks *tasks, uint32_t uid);

/** tasks_bases() - borrowed */
BaseCache *tasks_bases(Tasks *tasks);
/** tasks_shields() - borrowed */
ShieldCache *tasks_shields(Tasks *tasks);
/** tasks_holds() - borrowed */
Holds *tasks_holds(Tasks *tasks);
/** tasks_find() - one that is alive, as @uid may see it (0: all); NULL */
Task *tasks_find(Tasks *tasks, const char *id, uint32_t uid);
/** tasks_find_number() - by the number that egress knows; NULL */
Task *tasks_find_number(Tasks *tasks, uint64_t number);
/** tasks_find_call() - the exec of an agent whose command has this route through egress; NULL */
struct AgentCall *tasks_find_call(Tasks *tasks, uint64_t route);
/** tasks_find_routed() - one that is not over and has a route through egress; NULL */
Task *tasks_find_routed(Tasks *tasks);
/** tasks_add_consume() - a task in state queued; started at once where there is a place */
int tasks_add_consume(Tasks *tasks, Task *task, Error *err);
/** tasks_return() - a suspended task of the ledger is alive again; on success it is the list's. Returns: 0 or negative errno */
int tasks_return(Tasks *tasks, Task *task, Error *err);
/** tasks_next() - a task has ended: start who waits longest of the user with the fewest that run */
void tasks_next(Tasks *tasks);
/** tasks_drop() - for task.c: nothing of it is left but the struct, which is freed */
void tasks_drop(Tasks *tasks, Task *task);

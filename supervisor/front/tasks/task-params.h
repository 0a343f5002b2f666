#pragma once
/*
 * task-params: the parameters of task.start, checked, as a Task; workflows and roles that are shipped.
 */
#include "supervisor/front/tasks/task.h"

#define TASK_REQUEST_MAX    65536
#define TASK_VERIFIES       5u /* where the request names no limit */
#define TASK_COMMANDS       200u
#define TASK_CALLS          200u
#define TASK_TOKENS         2000000u
#define TASK_WALL_USEC      (1800u * 1000000ull)
#define TASK_CPU_USEC       (4u * 3600u * 1000000ull)
#define TASK_OUTPUT_BYTES   (1ull << 30)
#define TASK_NO_PROGRESS    3u
#define TASK_TRANSCRIPT_MAX (16u << 20)

/**
 * task_params_read() - a task from a request that fits the schema
 * @call: its descriptors are taken: the base as a tar, then transcript or key
 * @ret:  queued, owned by the caller
 *
 * Returns: 0; negative errno with call_refuse() done where a field is at fault.
 */
int task_params_read(Front *front, Call *call, const cJSON *params, Task **ret, Error *err);

typedef struct TaskReplay {  /* borrowed */
        const cJSON *params; /* as they were */
        const uint8_t *base; /* a layer of the store */
        const char *of;      /* the task */
        int transcript_fd;
        bool keep;
} TaskReplay;

/** task_params_replay() - the same of what was kept of another task; what the caller may have is looked at anew */
int task_params_replay(Front *front, Call *call, const TaskReplay *replay, Task **ret, Error *err);

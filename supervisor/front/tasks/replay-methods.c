/*
 * replay-methods: see replay-methods.h. A replay is a task of its own; whether it came to the same is for who
 * asked to see from the two receipts.
 */
#include "supervisor/front/tasks/replay-methods.h"

#include <string.h>

#include "supervisor/front/tasks/replays.h"
#include "supervisor/front/tasks/task-methods.h"
#include "supervisor/front/tasks/task-params.h"
#include "supervisor/front/tasks/tasks.h"

static int start(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        Replay replay = { .transcript_fd = -EBADF };
        TaskReplay given;
        Task *task = NULL;
        int r = replay_take(front, json_text(params, "task"), &replay, err);

        if (r < 0)
                return r;
        given = (TaskReplay){ .params = replay.params,
                              .base = replay.base,
                              .of = json_text(params, "task"),
                              .transcript_fd = replay.transcript_fd,
                              .keep = json_true(params, "keep") };
        r = task_params_replay(front, call, &given, &task, err);
        replay_deinit(&replay);
        return r < 0 ? r : task_method_start(front, call, task, ret_result, err);
}

/* What ended from outside came to nothing by itself that could come again */
static int check_end(const char *id, const cJSON *shown, Error *err) {
        const char *state = json_text(shown, "state"), *cause = json_text(shown, "cause");

        if (state && strcmp(state, task_state_name(TASK_CANCELLED)) == 0)
                return error_say(err, -EINVAL,
                                 "task %s was cancelled: there is no end of its own that a replay "
                                 "could come to; start it anew",
                                 id);
        if (cause && strcmp(cause, "supervisor_lost") == 0)
                return error_say(err, -EINVAL,
                                 "task %s ended with its supervisor: there is no end of its own "
                                 "that a replay could come to; start it anew",
                                 id);
        return 0;
}

static int run_replay(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        const char *id = json_text(params, "task");
        SCOPED(json_free) cJSON *shown = NULL;
        const Task *task;
        int r = task_method_show(front, call, id, &shown, err);

        if (r < 0)
                return r;
        task = tasks_find(front->tasks, id, 0);
        if (task && !task_is_final(task))
                return error_say(err, -EBUSY, "task %s has not ended yet", id);
        r = check_end(id, shown, err);
        return r < 0 ? r : start(front, call, params, ret_result, err);
}

const MethodRow replay_methods[] = {
        { "task.replay", run_replay },
        { NULL, NULL },
};

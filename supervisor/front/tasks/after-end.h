#pragma once
/*
 * after-end: requests about a task that has ended while its jails are still being taken down. Its end is told before
 * that, so that whoever hears of it may ask at once for what needs the task to be gone: they wait for that moment.
 */
#include "supervisor/front/calls.h"

typedef struct AfterEndSpec {
        const char *task;    /* its id; copied, as @params */
        const cJSON *params; /* of the request */
        /* the method's own, called once more; not where the caller is gone by then */
        int (*run)(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);
} AfterEndSpec;

/**
 * after_end_wait() - run a request anew when nothing of the task is left
 *
 * After a minute the caller is refused, with what it waited for.
 *
 * Returns: 0: the call is answered later; negative errno.
 */
int after_end_wait(Front *front, Call *call, const AfterEndSpec *spec, Error *err);

/** after_end_go() - nothing of task @id is left: those that waited for it go on */
void after_end_go(Front *front, const char *id);

/** after_end_stop() - the front ends: whoever waits is refused */
void after_end_stop(Front *front);

/*
 * after-end: see after-end.h. A list, since few wait at a time: as many as clients have asked, for tasks that have
 * just ended.
 */
#include "supervisor/front/tasks/after-end.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"

#define PATIENCE_USEC (60 * 1000000ull)

struct AfterEnd {
        AfterEnd *next;
        Front *front; /* borrowed */
        Call *call;   /* answered by us */
        char task[ID_MAX];
        cJSON *params;          /* owned, as the next */
        sd_event_source *limit; /* our patience */
        int (*run)(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);
};

static AfterEnd *waiter_free(AfterEnd *waiter) {
        if (!waiter)
                return NULL;
        sd_event_source_disable_unref(waiter->limit);
        json_free(waiter->params);
        free(waiter);
        return NULL;
}
DEFINE_SCOPED(AfterEnd *, waiter_free);

static void take_out(AfterEnd *waiter) {
        AfterEnd **at = &waiter->front->after_end;

        while (*at && *at != waiter)
                at = &(*at)->next;
        if (*at)
                *at = waiter->next;
}

static void refuse(AfterEnd *waiter, const char *why) {
        Error err = ERROR_EMPTY;

        (void) error_say(&err, -EBUSY,
                         "task %s has ended, and its jails are still being taken down: %s",
                         waiter->task, why);
        take_out(waiter);
        call_fail(waiter->call, NULL, &err);
        waiter_free(waiter);
}

static int on_limit(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        refuse(userdata, "that has taken a minute; ask again");
        return 0;
}

int after_end_wait(Front *front, Call *call, const AfterEndSpec *spec, Error *err) {
        SCOPED(waiter_free) AfterEnd *waiter = calloc(1, sizeof(*waiter));
        AfterEnd **at = &front->after_end;
        int r;

        if (!waiter || !(waiter->params = cJSON_Duplicate(spec->params, true)))
                return error_set(err, -ENOMEM, "wait for the end of task %s", spec->task);
        waiter->front = front;
        waiter->call = call;
        waiter->run = spec->run;
        (void) snprintf(waiter->task, sizeof(waiter->task), "%s", spec->task);
        r = sd_event_add_time_relative(front->event, &waiter->limit, CLOCK_MONOTONIC, PATIENCE_USEC,
                                       0, on_limit, waiter);
        if (r < 0)
                return error_set(err, r, "wait for the end of task %s", spec->task);
        (void) sd_event_source_set_description(waiter->limit, "after-end");
        while (*at)
                at = &(*at)->next;
        *at = TAKE_PTR(waiter);
        return 0;
}

static void go_on(AfterEnd *waiter) {
        cJSON *result = NULL;
        Error err = ERROR_EMPTY;
        int r;

        if (call_client(waiter->call))
                r = waiter->run(waiter->front, waiter->call, waiter->params, &result, &err);
        else
                r = error_say(&err, -EPIPE, "the client is gone");
        if (r < 0)
                call_fail(waiter->call, NULL, &err);
        else if (result)
                call_answer(waiter->call, result, NULL, 0);
}

/* Those who wait for it out of the list, in their order */
static AfterEnd *take_all(Front *front, const char *id) {
        AfterEnd *taken = NULL, **last = &taken, **at = &front->after_end;

        while (*at) {
                AfterEnd *waiter = *at;

                if (strcmp(waiter->task, id) != 0) {
                        at = &waiter->next;
                        continue;
                }
                *at = waiter->next;
                waiter->next = NULL;
                *last = waiter;
                last = &waiter->next;
        }
        return taken;
}

/*
 * What the first of two does, the other finds: the task may be alive again. It may even have ended again: who waits
 * for that is in the list anew, and not among those that are gone through here.
 */
void after_end_go(Front *front, const char *id) {
        AfterEnd *waiter = take_all(front, id);

        while (waiter) {
                AfterEnd *next = waiter->next;

                go_on(waiter);
                waiter_free(waiter);
                waiter = next;
        }
}

void after_end_stop(Front *front) {
        while (front->after_end)
                refuse(front->after_end, "the supervisor ends");
}

/*
 * workspace-time: see workspace-time.h.
 */
#include "supervisor/front/workspaces/workspace-time.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/workspaces/workspace-disk.h"

#define IDLE_ACCURACY_USEC 100000
#define AGAIN_USEC         1000000

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Live *live = userdata;
        uint64_t now = units_monotonic(), last = front_jail_used(live->jail);
        bool busy = commands_count(*front_jail_commands(live->jail)) > 0;

        (void) usec;
        if (!busy && now - last >= live->info.idle_usec) {
                log_event(LOG_INFO, "workspace is stopped: nothing ran in it for long",
                          F("WORKSPACE", live->info.name), F("JAIL", live->info.id));
                if (live->state == LIVE_RUNNING)
                        live_end_jail(live);
                return 0;
        }
        (void) sd_event_source_set_time(source, (busy ? now : last) + live->info.idle_usec);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void live_watch_idle(Live *live) {
        if (live->info.idle_usec == 0)
                return;
        if (sd_event_add_time_relative(live->front->event, &live->idle, CLOCK_MONOTONIC,
                                       live->info.idle_usec, IDLE_ACCURACY_USEC, on_idle, live) < 0)
                log_event(LOG_WARNING,
                          "workspace is not stopped by itself: no memory for its clock",
                          F("WORKSPACE", live->info.name));
}

static void expire(const Workspace *workspace, void *userdata) {
        Front *front = userdata;
        char uid[12];
        bool over = workspace->ttl_usec > 0 &&
                    workspace->used_usec + workspace->ttl_usec <= units_now();

        (void) snprintf(uid, sizeof uid, "%u", workspace->owner_uid);
        if (!over || workspace->state != WORKSPACE_THERE || live_find(front, workspace->id))
                return;
        log_event(LOG_WARNING, "workspace is removed: it was not used for its time to live",
                  F("WORKSPACE", workspace->name), F("JAIL", workspace->id), F("UID", uid));
        workspace_remove(front, workspace, NULL);
}

static int on_ttl(sd_event_source *source, uint64_t usec, void *userdata) {
        Workspaces *workspaces = userdata;

        (void) source;
        (void) usec;
        (void) workspaces_each(workspaces->front, 0, expire, workspaces->front, NULL);
        workspaces_arm_ttl(workspaces);
        return 0;
}

/* By the host's clock, which goes on while it is off */
void workspaces_arm_ttl(Workspaces *workspaces) {
        uint64_t end = workspaces_next_end(workspaces->front), soonest = units_now() + AGAIN_USEC;

        workspaces->ttl = sd_event_source_disable_unref(workspaces->ttl);
        if (end == UINT64_MAX)
                return;
        if (end < soonest) /* one that cannot be removed is not tried all the time */
                end = soonest;
        if (sd_event_add_time(workspaces->front->event, &workspaces->ttl, CLOCK_REALTIME, end, 0,
                              on_ttl, workspaces) < 0)
                log_event(LOG_WARNING, "workspaces stay beyond their time: no memory for a clock");
}

static void take_up(const Workspace *workspace, void *userdata) {
        Front *front = userdata;

        if (workspace->state == WORKSPACE_THERE)
                disk_look(front, workspace);
        else
                workspace_remove(front, workspace, NULL);
}

int workspaces_new(Front *front, Workspaces **ret, Error *err) {
        Workspaces *workspaces = calloc(1, sizeof *workspaces);
        int r;

        if (!workspaces)
                return error_set(err, -ENOMEM, "keep workspaces");
        workspaces->front = front;
        *ret = workspaces;
        r = workspaces_all_stopped(front, err);
        if (r >= 0)
                r = workspaces_each(front, 0, take_up, front, err);
        workspaces_arm_ttl(workspaces);
        return r;
}

Workspaces *workspaces_free(Workspaces *workspaces) {
        while (workspaces && workspaces->first) {
                Live *live = workspaces->first;

                for (Waiter *waiter; (waiter = live_pop(&live->starts)) ||
                                     (waiter = live_pop(&live->stops)) ||
                                     (waiter = live_pop(&live->removes));)
                        live_waiter_free(waiter);
                live_free(live);
        }
        if (workspaces)
                sd_event_source_disable_unref(workspaces->ttl);
        free(workspaces);
        return NULL;
}

/*
 * workspace-live: see workspace-live.h.
 */
#include "supervisor/front/workspaces/workspace-live.h"

#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/jails/jail-refuse.h"

static const uint8_t live_next[_LIVE_STATE_MAX] = {
        /* from -> set of allowed successors */
        [LIVE_MAKING] = BIT(LIVE_STOPPED) | BIT(LIVE_REMOVING),
        [LIVE_STOPPED] = BIT(LIVE_LOOKING) | BIT(LIVE_REMOVING),
        [LIVE_LOOKING] = BIT(LIVE_STOPPED) | BIT(LIVE_MAKING) | BIT(LIVE_STARTING),
        [LIVE_STARTING] = BIT(LIVE_STOPPED) | BIT(LIVE_RUNNING),
        [LIVE_RUNNING] = BIT(LIVE_ENDING) | BIT(LIVE_STOPPED),
        [LIVE_ENDING] = BIT(LIVE_STOPPED),
};

Live *live_find(const Front *front, const char *id) {
        Live *live = front->workspaces ? front->workspaces->first : NULL;

        while (live && strcmp(live->info.id, id) != 0)
                live = live->next;
        return live;
}

Live *live_get(Front *front, const Workspace *workspace) {
        Live *live = live_find(front, workspace->id);

        if (live)
                return live;
        live = calloc(1, sizeof *live);
        if (!live)
                return NULL;
        *live = (Live){ .next = front->workspaces->first,
                        .front = front,
                        .info = *workspace,
                        .state = LIVE_STOPPED };
        front->workspaces->first = live;
        return live;
}

void live_free(Live *live) {
        for (Live **at = &live->front->workspaces->first; *at; at = &(*at)->next)
                if (*at == live) {
                        *at = live->next;
                        break;
                }
        sd_event_source_disable_unref(live->idle);
        sd_event_source_disable_unref(live->again);
        free(live);
}

void live_set_state(Live *live, LiveState state) {
        if (live_next[live->state] & BIT(state))
                live->state = state;
        else
                log_event(LOG_ERR, "a workspace is in no such state",
                          F("WORKSPACE", live->info.name));
}

int live_push(Waiter **list, Call *call, const cJSON *exec, bool stays) {
        Waiter *waiter = calloc(1, sizeof *waiter);

        if (!waiter)
                return -ENOMEM;
        *waiter = (Waiter){ NULL, call, exec ? cJSON_Duplicate(exec, true) : NULL, stays };
        if (exec && !waiter->exec) {
                free(waiter);
                return -ENOMEM;
        }
        while (*list)
                list = &(*list)->next;
        *list = waiter;
        return 0;
}

Waiter *live_pop(Waiter **list) {
        Waiter *first = *list;

        if (first)
                *list = first->next;
        return first;
}

void live_waiter_free(Waiter *waiter) {
        json_free(waiter->exec);
        free(waiter);
}

void live_refuse_all(Live *live, Waiter **list, const Error *err) {
        Waiter *waiter;

        for (waiter = *list; waiter && waiter->next; waiter = waiter->next)
                call_refuse_like(waiter->next->call, waiter->call);
        while ((waiter = live_pop(list))) {
                jail_refuse(live->front, waiter->call, err);
                live_waiter_free(waiter);
        }
}

void live_answer_all(Waiter **list) {
        Waiter *waiter;

        while ((waiter = live_pop(list))) {
                call_answer(waiter->call, cJSON_CreateObject(), NULL, 0);
                live_waiter_free(waiter);
        }
}

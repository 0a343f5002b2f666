/*
 * jail-stats: see jail-stats.h.
 *
 * A tick of a watch takes its jails a few at a time, so that others are served in between; where it stands is the
 * jail that comes next. A single answer waits until the inits of its jails have said what is on their disks, and
 * not for those that do not.
 */
#include "supervisor/front/jails/jail-stats.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jail-sample.h"
#include "supervisor/front/paging.h"

#define CHUNK         32u    /* jails of one turn of the loop */
#define SHARE         20u    /* at most one of so many microseconds is spent for watchers */
#define LATE_USEC     500000 /* a single answer waits no longer for inits */
#define LATE_ACCURACY 50000
#define PART          'j'

/* Jails of files jobs, verifies and tasks are nobody's to see. */
static bool may_see(const FrontJail *jail, uint32_t uid) {
        return front_jail_is_listed(jail) && (uid == 0 || front_jail_owner(jail) == uid);
}

/* ---- watching ------------------------------------------------------------------------------------- */

struct StatsWatcher {
        StatsWatcher *next;
        Front *front;   /* borrowed */
        Client *client; /* borrowed */
        uint32_t uid;   /* whose jails; 0: all */
        uint32_t by_uid;
        char jail[ID_MAX]; /* "": all */
        uint64_t interval_usec;
        FrontJail *at;          /* borrowed: comes next in this tick; NULL: the tick is over */
        uint64_t spent_usec;    /* in this tick */
        uint64_t lagged;        /* ticks that it missed since its last one */
        sd_event_source *timer; /* owned */
};

static void on_client_gone(Client *client, void *userdata);

static void remove_watcher(StatsWatcher *watcher_consume) {
        autofree StatsWatcher *watcher = watcher_consume;
        StatsWatcher **at = &watcher->front->stats_watchers;

        while (*at && *at != watcher)
                at = &(*at)->next;
        if (*at)
                *at = watcher->next;
        if (watcher->client)
                client_unwatch(watcher->client, on_client_gone, watcher);
        sd_event_source_disable_unref(watcher->timer);
}

static void on_client_gone(Client *client, void *userdata) {
        StatsWatcher *watcher = userdata;

        (void) client;
        watcher->client = NULL;
        remove_watcher(watcher);
}

void jail_stats_forget(Front *front, const FrontJail *jail) {
        for (StatsWatcher *watcher = front->stats_watchers; watcher; watcher = watcher->next)
                if (watcher->at == jail)
                        watcher->at = front_jail_next(jail);
}

static unsigned count_watchers(const Front *front) {
        unsigned n = 0;

        for (const StatsWatcher *watcher = front->stats_watchers; watcher; watcher = watcher->next)
                n++;
        return n;
}

static void wake_in(StatsWatcher *watcher, uint64_t usec) {
        (void) sd_event_source_set_time_relative(watcher->timer, usec);
        (void) sd_event_source_set_enabled(watcher->timer, SD_EVENT_ONESHOT);
}

/* The next tick, no sooner than what this one cost allows. */
static void wait_for_next(StatsWatcher *watcher) {
        uint64_t least = watcher->spent_usec * SHARE * count_watchers(watcher->front);

        watcher->at = NULL;
        watcher->spent_usec = 0;
        wake_in(watcher, least > watcher->interval_usec ? least : watcher->interval_usec);
}

static cJSON *tick(cJSON **ret_list) {
        cJSON *json = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX];

        json_add_text(json, "time", units_format_time(units_now(), time));
        *ret_list = json_add_array(json, "stats");
        return json;
}

static void add_some(StatsWatcher *watcher, cJSON *list) {
        for (unsigned n = 0; watcher->at && n < CHUNK; watcher->at = front_jail_next(watcher->at)) {
                if (!may_see(watcher->at, watcher->uid))
                        continue;
                (void) jail_measure(watcher->at, NULL, NULL, NULL);
                json_push_consume(list, jail_sample(watcher->at));
                n++;
        }
}

/* Returns: 0; -ENOBUFS: it has not read what it got before */
static int send_some(StatsWatcher *watcher) {
        cJSON *list, *json = tick(&list);

        add_some(watcher, list);
        json_add_bool(json, "more", watcher->at != NULL);
        json_add_number(json, "lagged", watcher->lagged);
        return client_notify(watcher->client, "jail.sample", json);
}

static int send_named(StatsWatcher *watcher) {
        FrontJail *jail = front_jail_find(watcher->front, watcher->jail, watcher->uid);
        cJSON *list, *json = tick(&list);

        if (jail) {
                (void) jail_measure(jail, NULL, NULL, NULL);
                json_push_consume(list, jail_sample(jail));
        }
        json_add_bool(json, "more", false);
        json_add_number(json, "lagged", watcher->lagged);
        json_add_bool(json, "ended", jail == NULL);
        return client_notify(watcher->client, "jail.sample", json);
}

/* Returns: is there more of this tick */
static bool go_on(StatsWatcher *watcher) {
        uint64_t begin = units_monotonic();
        int r = 0;

        if (client_is_behind(watcher->client))
                r = -ENOBUFS;
        else
                r = watcher->jail[0] ? send_named(watcher) : send_some(watcher);
        watcher->lagged = r == -ENOBUFS ? watcher->lagged + 1 : 0;
        watcher->spent_usec += units_monotonic() - begin;
        return r == 0 && watcher->at;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        StatsWatcher *watcher = userdata;
        bool named = watcher->jail[0];

        (void) source;
        (void) usec;
        if (!named && !watcher->at)
                watcher->at = watcher->front->jails;
        if (go_on(watcher))
                wake_in(watcher, 0);
        else if (named && watcher->lagged == 0 &&
                 !front_jail_find(watcher->front, watcher->jail, watcher->uid))
                remove_watcher(watcher); /* it has heard of the end */
        else
                wait_for_next(watcher);
        return 0;
}

static StatsWatcher *find_watcher(const Front *front, const Client *client) {
        StatsWatcher *watcher = front->stats_watchers;

        while (watcher && watcher->client != client)
                watcher = watcher->next;
        return watcher;
}

static int check_room(const Front *front, uint32_t uid, Error *err) {
        unsigned own = 0;

        for (const StatsWatcher *watcher = front->stats_watchers; watcher; watcher = watcher->next)
                own += watcher->by_uid == uid;
        if (own >= JAIL_STATS_PER_UID_MAX || count_watchers(front) >= JAIL_STATS_WATCHERS_MAX)
                return error_say(err, -EBUSY,
                                 "too many connections watch what jails use: end some first");
        return 0;
}

static int add_watcher(Front *front, Client *client, StatsWatcher **ret, Error *err) {
        autofree StatsWatcher *watcher = NULL;
        int r = check_room(front, client_peer(client)->uid, err);

        if (r < 0)
                return r;
        watcher = calloc(1, sizeof *watcher);
        if (!watcher)
                return error_set(err, -ENOMEM, "watch jails");
        *watcher = (StatsWatcher){ .front = front,
                                   .client = client,
                                   .by_uid = client_peer(client)->uid };
        r = sd_event_add_time_relative(front->event, &watcher->timer, CLOCK_MONOTONIC, 0, 1000,
                                       on_time, watcher);
        if (r >= 0)
                r = client_watch(client, on_client_gone, watcher);
        if (r < 0) {
                sd_event_source_disable_unref(watcher->timer);
                return error_set(err, r, "watch jails");
        }
        (void) sd_event_source_set_description(watcher->timer, "stats");
        watcher->next = front->stats_watchers;
        front->stats_watchers = watcher;
        *ret = TAKE_PTR(watcher);
        return 0;
}

static int watch(Front *front, Call *call, const char *jail, uint64_t interval_usec, Error *err) {
        Client *client = call_client(call);
        StatsWatcher *watcher = client ? find_watcher(front, client) : NULL;
        cJSON *json;
        int r = 0;

        if (!client)
                return error_say(err, -EPIPE, "the client is gone");
        if (interval_usec == 0 && watcher)
                remove_watcher(watcher);
        if (interval_usec > 0 && !watcher)
                r = add_watcher(front, client, &watcher, err);
        if (r < 0)
                return r;
        if (interval_usec > 0) {
                watcher->uid = call_uid(call);
                (void) snprintf(watcher->jail, sizeof watcher->jail, "%s", jail ? jail : "");
                watcher->interval_usec = interval_usec;
                watcher->at = NULL;
                wake_in(watcher, 0); /* from the loop: behind the answer */
        }
        json = cJSON_CreateObject();
        json_add_number(json, "interval_usec", interval_usec);
        call_answer(call, json, NULL, 0);
        return 0;
}

/* ---- once ----------------------------------------------------------------------------------------- */

typedef struct Shot {
        Front *front;  /* borrowed */
        Call *call;    /* NULL: it is answered */
        cJSON *params; /* owned */
        uint32_t uid;
        char jail[ID_MAX]; /* "": all */
        unsigned waits;    /* inits that have not answered, and who still asks */
        sd_event_source *late;
} Shot;

static Shot *shot_free(Shot *shot) {
        if (!shot)
                return NULL;
        sd_event_source_disable_unref(shot->late);
        json_free(shot->params);
        free(shot);
        return NULL;
}
DEFINE_SCOPED(Shot *, shot_free);

/* Newest first. Returns: the first that is on this page, NULL: none */
static FrontJail *first_of(const Front *front, const PagePlace *from) {
        FrontJail *jail = front->jails;

        while (jail && from->has_place && front_jail_book(jail)->number >= (uint64_t) from->number)
                jail = front_jail_next(jail);
        return jail;
}

static bool is_meant(const Shot *shot, const FrontJail *jail) {
        return may_see(jail, shot->uid) &&
               (!shot->jail[0] || strcmp(shot->jail, front_jail_id(jail)) == 0);
}

static int shot_begin(const Shot *shot, Paging *paging, PagePlace *ret_from, Error *err) {
        static const char parts[] = { PART, 0 };
        int r = paging_begin(paging, parts, shot->params, err);

        if (r == 0)
                (void) paging_from(paging, PART, ret_from);
        return r;
}

static cJSON *shot_page(const Shot *shot, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *list = json_add_array(json, "stats");
        PagePlace from = { 0 };
        Paging paging;

        if (!list) {
                error_set(err, -ENOMEM, "tell what jails use");
                return NULL;
        }
        if (shot_begin(shot, &paging, &from, err) < 0)
                return NULL;
        for (FrontJail *jail = first_of(shot->front, &from); jail; jail = front_jail_next(jail)) {
                PagePlace place = { .part = PART,
                                    .has_place = true,
                                    .number = (int64_t) front_jail_book(jail)->number };

                if (is_meant(shot, jail) &&
                    !paging_push_consume(&paging, list, jail_sample(jail), &place, 0))
                        break;
        }
        paging_end(&paging, json);
        return TAKE_PTR(json);
}

static void answer(Shot *shot) {
        Call *call = TAKE_PTR(shot->call);
        Error err = ERROR_EMPTY;
        cJSON *json = call ? shot_page(shot, &err) : NULL;

        if (json)
                call_answer(call, json, NULL, 0);
        else if (call)
                call_fail(call, NULL, &err);
}

static void shot_release(Shot *shot) {
        if (--shot->waits > 0)
                return;
        answer(shot);
        shot_free(shot);
}

static void on_measured(FrontJail *jail, void *userdata) {
        (void) jail;
        shot_release(userdata);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        answer(userdata);
        return 0;
}

static void measure_all(Shot *shot, const PagePlace *from, unsigned left) {
        for (FrontJail *jail = first_of(shot->front, from); jail && left > 0;
             jail = front_jail_next(jail)) {
                if (!is_meant(shot, jail))
                        continue;
                left--;
                if (jail_measure(jail, on_measured, shot, NULL) == 0)
                        shot->waits++;
        }
}

static int once(Front *front, Call *call, const cJSON *params, const char *jail, Error *err) {
        SCOPED(shot_free) Shot *shot = calloc(1, sizeof *shot);
        PagePlace from = { 0 };
        Paging paging;
        int r;

        if (!shot)
                return error_set(err, -ENOMEM, "tell what jails use");
        *shot = (Shot){ .front = front, .uid = call_uid(call), .waits = 1 };
        (void) snprintf(shot->jail, sizeof shot->jail, "%s", jail ? jail : "");
        shot->params = cJSON_Duplicate(params, true);
        if (!shot->params)
                return error_set(err, -ENOMEM, "tell what jails use");
        r = shot_begin(shot, &paging, &from, err);
        if (r == 0)
                r = sd_event_add_time_relative(front->event, &shot->late, CLOCK_MONOTONIC,
                                               LATE_USEC, LATE_ACCURACY, on_late, shot);
        if (r < 0)
                return err->code ? r : error_set(err, r, "tell what jails use");
        shot->call = call;
        measure_all(shot, &from, paging.left);
        shot_release(TAKE_PTR(shot));
        return 0;
}

static int run_stats(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        const char *id = NULL;
        uint64_t interval = 0;
        FrontJail *jail;

        *ret_result = NULL; /* answered here */
        if (json_get(params, "jail")) {
                jail = jail_method_find(front, call, params, err);
                if (!jail)
                        return err->code;
                id = front_jail_id(jail);
        }
        if (json_number(params, "interval_usec", &interval) < 0)
                return once(front, call, params, id, err);
        if (interval == 0 || interval >= JAIL_STATS_INTERVAL_MIN)
                return watch(front, call, id, interval, err);
        call_refuse(call, "invalid", "/interval_usec", NULL);
        return error_say(err, -EINVAL, "an interval has %u microseconds or more; 0 ends the watch",
                         JAIL_STATS_INTERVAL_MIN);
}

const MethodRow jail_stats_methods[] = {
        { "jail.stats", run_stats },
        { NULL, NULL },
};

/*
 * jail-log: see jail-log.h.
 *
 * An event costs the hot path of a command a struct in two rings; JSON is made only where somebody watches. A
 * ring grows as it is used, up to its maximum, and then loses its oldest event with each new one.
 */
#include "supervisor/front/jails/jail-log.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/units.h"
#include "supervisor/front/jails/jails.h"

#define RETRY_USEC     100000
#define RETRY_ACCURACY 50000
#define RING_FIRST     32u
#define IDLE_RINGS_MAX 64u /* logs of users that have no jail and watch nothing */

typedef struct LogWatcher {
        struct LogWatcher *next;
        LogRing *ring;     /* borrowed, and counted in its refs */
        Client *client;    /* borrowed */
        char jail[ID_MAX]; /* "": all */
        uint64_t missed;   /* first number that it did not get; 0: none */
} LogWatcher;

struct LogRing {
        LogRing *next;
        JailLog *log;       /* borrowed, owns us */
        uint32_t owner_uid; /* meaningless in the one of all */
        unsigned refs;      /* jails and watchers */
        uint64_t used_usec; /* when the last reference was given back */
        uint64_t seq;       /* of the last event */
        uint64_t first;     /* of the oldest that is kept; seq + 1: none is */
        KeptEvent *items;   /* owned: event N at N % cap */
        unsigned cap, max;
        LogWatcher *watchers; /* owned list */
};

struct JailLog {
        Front *front;           /* borrowed, outlives us */
        LogRing *rings;         /* owned list, of users */
        LogRing all;            /* what administrators see */
        sd_event_source *retry; /* owned, armed only while a watcher lags */
};

/* ---- rings --------------------------------------------------------------------------------------- */

static void ring_init(LogRing *ring, JailLog *log, uint32_t uid, unsigned max) {
        *ring = (LogRing){ .log = log, .owner_uid = uid, .seq = units_now(), .max = max };
        ring->first = ring->seq + 1;
}

static KeptEvent *item_at(const LogRing *ring, uint64_t seq) {
        return &ring->items[seq % ring->cap];
}

static void drop_first(LogRing *ring) {
        kept_event_deinit(item_at(ring, ring->first++));
}

static int grow(LogRing *ring) {
        unsigned cap = ring->cap ? 2 * ring->cap : RING_FIRST;
        KeptEvent *items;

        if (cap > ring->max)
                return -ENOBUFS;
        items = calloc(cap, sizeof *items);
        if (!items)
                return -ENOMEM;
        for (uint64_t seq = ring->first; seq <= ring->seq; seq++)
                items[seq % cap] = *item_at(ring, seq);
        free(ring->items);
        ring->items = items;
        ring->cap = cap;
        return 0;
}

static void ring_deinit(LogRing *ring) {
        while (ring->first <= ring->seq)
                drop_first(ring);
        free(ring->items);
        ring->items = NULL;
}

/* Number and keep it; without memory the number is given all the same, and whoever asks hears of the gap. */
static void ring_push(LogRing *ring, const FrontJail *jail, const JailEvent *event) {
        if (ring->seq + 1 - ring->first == ring->cap && grow(ring) < 0 && ring->cap > 0)
                drop_first(ring);
        ring->seq++;
        if (ring->cap > 0)
                kept_event_init(item_at(ring, ring->seq), jail, event);
        else
                ring->first = ring->seq + 1;
}

static LogRing *find_ring(JailLog *log, uint32_t uid) {
        for (LogRing *ring = log->rings; ring; ring = ring->next)
                if (ring->owner_uid == uid)
                        return ring;
        return NULL;
}

/* Of those that nobody uses the one goes that was left longest ago, where there are too many. */
static void drop_idle(JailLog *log) {
        LogRing **oldest = NULL;
        unsigned n = 0;

        for (LogRing **at = &log->rings; *at; at = &(*at)->next) {
                if ((*at)->refs > 0)
                        continue;
                n++;
                if (!oldest || (*at)->used_usec < (*oldest)->used_usec)
                        oldest = at;
        }
        if (n <= IDLE_RINGS_MAX)
                return;
        {
                autofree LogRing *ring = *oldest;

                *oldest = ring->next;
                ring_deinit(ring);
        }
}

LogRing *jail_log_join(JailLog *log, uint32_t uid) {
        LogRing *ring = find_ring(log, uid);

        if (!ring) {
                drop_idle(log);
                ring = malloc(sizeof *ring);
                if (!ring)
                        return NULL;
                ring_init(ring, log, uid, JAIL_LOG_KEPT_MAX);
                ring->next = log->rings;
                log->rings = ring;
        }
        ring->refs++;
        return ring;
}

LogRing *jail_log_leave(LogRing *ring) {
        if (ring && --ring->refs == 0)
                ring->used_usec = units_monotonic();
        return NULL;
}

int jail_log_new(Front *front, JailLog **ret, Error *err) {
        JailLog *log = calloc(1, sizeof *log);

        if (!log)
                return error_set(err, -ENOMEM, "keep a log of jails");
        log->front = front;
        ring_init(&log->all, log, 0, JAIL_LOG_KEPT_ALL_MAX);
        *ret = log;
        return 0;
}

JailLog *jail_log_free(JailLog *log) {
        if (!log)
                return NULL;
        sd_event_source_disable_unref(log->retry);
        while (log->rings) {
                autofree LogRing *ring = log->rings;

                log->rings = ring->next;
                ring_deinit(ring);
        }
        ring_deinit(&log->all);
        free(log);
        return NULL;
}

/* ---- watchers ------------------------------------------------------------------------------------ */

static void on_client_gone(Client *client, void *userdata);

static void remove_watcher(LogWatcher *watcher_consume) {
        autofree LogWatcher *watcher = watcher_consume;
        LogWatcher **at = &watcher->ring->watchers;

        while (*at && *at != watcher)
                at = &(*at)->next;
        if (*at)
                *at = watcher->next;
        if (watcher->client)
                client_unwatch(watcher->client, on_client_gone, watcher);
        jail_log_leave(watcher->ring);
}

static void on_client_gone(Client *client, void *userdata) {
        LogWatcher *watcher = userdata;

        (void) client;
        watcher->client = NULL;
        remove_watcher(watcher);
}

static bool wants(const char *jail, const KeptEvent *item) {
        return !jail || !*jail || strcmp(jail, item->jail) == 0;
}

/* Returns: was there room */
static bool send_one(Client *client, cJSON *event_consume) {
        return event_consume && client_notify(client, "jail.event", event_consume) == 0;
}

/* Tell a watcher that has missed something what it missed, where there is room. Returns: is it well again */
static bool is_well(LogWatcher *watcher) {
        cJSON *json;

        if (!watcher->missed)
                return true;
        json = cJSON_CreateObject();
        json_add_text(json, "event", "lagged");
        json_add_number(json, "cursor", watcher->missed);
        if (!send_one(watcher->client, json))
                return false;
        watcher->missed = 0;
        return true;
}

static void give(LogWatcher *watcher, const KeptEvent *item, uint64_t seq) {
        if (!wants(watcher->jail, item))
                return;
        if (!is_well(watcher) || !send_one(watcher->client, kept_event_json(item, seq)))
                watcher->missed = watcher->missed ? watcher->missed : seq;
}

/* Has it heard all that it will */
static bool is_over(const LogWatcher *watcher, const KeptEvent *item) {
        return !watcher->missed && watcher->jail[0] && wants(watcher->jail, item) &&
               item->event.kind == JAIL_EVENT_ENDED;
}

static bool anybody_lags(const LogRing *ring) {
        for (const LogWatcher *watcher = ring->watchers; watcher; watcher = watcher->next)
                if (watcher->missed)
                        return true;
        return false;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* The socket says nothing when there is room again, so who lags is tried ten times a second. */
static void arm_retry(JailLog *log) {
        if (!log->retry &&
            sd_event_add_time_relative(log->front->event, &log->retry, CLOCK_MONOTONIC, RETRY_USEC,
                                       RETRY_ACCURACY, on_retry, log) < 0)
                return;
        (void) sd_event_source_set_time_relative(log->retry, RETRY_USEC);
        (void) sd_event_source_set_enabled(log->retry, SD_EVENT_ONESHOT);
}

static bool retry_ring(LogRing *ring) {
        for (LogWatcher *watcher = ring->watchers; watcher; watcher = watcher->next)
                (void) is_well(watcher);
        return anybody_lags(ring);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        JailLog *log = userdata;
        bool lags = retry_ring(&log->all);

        (void) source;
        (void) usec;
        for (LogRing *ring = log->rings; ring; ring = ring->next)
                lags = retry_ring(ring) || lags;
        if (lags)
                arm_retry(log);
        return 0;
}

static void tell_ring(LogRing *ring, const FrontJail *jail, const JailEvent *event) {
        LogWatcher *watcher = ring->watchers;
        KeptEvent item;

        ring_push(ring, jail, event);
        if (!watcher)
                return;
        kept_event_init(&item, jail, event);
        while (watcher) {
                LogWatcher *next = watcher->next;

                give(watcher, &item, ring->seq);
                if (is_over(watcher, &item))
                        remove_watcher(watcher);
                watcher = next;
        }
        kept_event_deinit(&item);
        if (anybody_lags(ring))
                arm_retry(ring->log);
}

void jail_log_tell(FrontJail *jail, const JailEvent *event) {
        LogRing *ring = front_jail_book(jail)->log;

        if (!ring)
                return;
        tell_ring(ring, jail, event);
        tell_ring(&ring->log->all, jail, event);
}

/* ---- asking -------------------------------------------------------------------------------------- */

static LogRing *ring_of(JailLog *log, const JailLogAsk *ask) {
        return ask->uid == 0 ? &log->all : find_ring(log, ask->uid);
}

static LogWatcher *find_watcher(const LogRing *ring, const Client *client) {
        LogWatcher *watcher = ring ? ring->watchers : NULL;

        while (watcher && watcher->client != client)
                watcher = watcher->next;
        return watcher;
}

static unsigned count_watchers(const LogRing *ring) {
        unsigned n = 0;

        for (const LogWatcher *watcher = ring->watchers; watcher; watcher = watcher->next)
                n++;
        return n;
}

static int add_watcher(LogRing *ring, const JailLogAsk *ask, LogWatcher **ret, Error *err) {
        autofree LogWatcher *watcher = NULL;

        if (count_watchers(ring) >= JAIL_LOG_WATCHERS_MAX)
                return error_say(err, -EBUSY, "%u connections watch these jails already",
                                 JAIL_LOG_WATCHERS_MAX);
        watcher = calloc(1, sizeof *watcher);
        if (!watcher || client_watch(ask->client, on_client_gone, watcher) < 0)
                return error_set(err, -ENOMEM, "watch jails");
        watcher->ring = ring;
        watcher->client = ask->client;
        watcher->next = ring->watchers;
        ring->watchers = watcher;
        ring->refs++;
        *ret = TAKE_PTR(watcher);
        return 0;
}

int jail_log_watch(JailLog *log, const JailLogAsk *ask, Error *err) {
        LogRing *ring = ask->uid == 0 ? &log->all : jail_log_join(log, ask->uid);
        LogWatcher *watcher = find_watcher(ring, ask->client);
        int r = 0;

        if (!ring)
                return error_set(err, -ENOMEM, "watch jails");
        if (!watcher)
                r = add_watcher(ring, ask, &watcher, err);
        if (ring != &log->all)
                jail_log_leave(ring); /* the watcher has a reference of its own */
        if (r < 0)
                return r;
        watcher->missed = 0;
        (void) snprintf(watcher->jail, sizeof watcher->jail, "%s", ask->jail ? ask->jail : "");
        return 0;
}

static uint64_t begin(const LogRing *ring, uint64_t from) {
        return from > ring->first ? from : ring->first;
}

void jail_log_catch_up(JailLog *log, const JailLogAsk *ask) {
        LogRing *ring = ring_of(log, ask);
        LogWatcher *watcher = find_watcher(ring, ask->client);

        if (!watcher || ask->from == 0)
                return;
        for (uint64_t seq = begin(ring, ask->from); seq <= ring->seq && !watcher->missed; seq++) {
                const KeptEvent *item = item_at(ring, seq);

                give(watcher, item, seq);
                if (!is_over(watcher, item))
                        continue;
                remove_watcher(watcher);
                return;
        }
        if (watcher->missed)
                arm_retry(log);
}

bool jail_log_has(JailLog *log, const JailLogAsk *ask) {
        const LogRing *ring = ring_of(log, ask);

        for (uint64_t seq = ring ? ring->first : 1; ring && seq <= ring->seq; seq++)
                if (wants(ask->jail, item_at(ring, seq)))
                        return true;
        return false;
}

void jail_log_describe(JailLog *log, const JailLogAsk *ask, cJSON *json) {
        const LogRing *ring = ring_of(log, ask);

        json_add_number(json, "seq", ring ? ring->seq : 0);
        json_add_number(json, "first", ring ? ring->first : 0);
        json_add_bool(json, "missed", ask->from > 1 && (!ring || ask->from < ring->first));
}

int jail_log_page(JailLog *log, const JailLogAsk *ask, unsigned limit, cJSON *json) {
        const LogRing *ring = ring_of(log, ask);
        cJSON *events = json_add_array(json, "events");
        uint64_t seq = ring ? begin(ring, ask->from) : 1;

        if (!events)
                return -ENOMEM;
        for (; ring && seq <= ring->seq && limit > 0; seq++) {
                const KeptEvent *item = item_at(ring, seq);

                if (!wants(ask->jail, item))
                        continue;
                if (!json_push_consume(events, kept_event_json(item, seq)))
                        return -ENOMEM;
                limit--;
        }
        if (ring && seq <= ring->seq)
                json_add_number(json, "next", seq);
        return 0;
}

/*
 * events: see events.h.
 */
#include "supervisor/front/tasks/events.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/tasks/event-table.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task.h"

#define RETRY_USEC     100000
#define RETRY_ACCURACY 50000

struct Watcher {
        Watcher *next;
        Task *task;      /* borrowed */
        Client *client;  /* borrowed */
        uint64_t missed; /* first number that it did not get; 0: none */
        bool ended;      /* it has the last event */
};

static void on_client_gone(Client *client, void *userdata);

static void remove_watcher(Watcher *watcher) {
        Watcher **at = &watcher->task->events.watchers;

        while (*at && *at != watcher)
                at = &(*at)->next;
        if (*at)
                *at = watcher->next;
        if (watcher->client)
                client_unwatch(watcher->client, on_client_gone, watcher);
        free(watcher);
}

static void on_client_gone(Client *client, void *userdata) {
        Watcher *watcher = userdata;
        Task *task = watcher->task;

        (void) client;
        watcher->client = NULL;
        remove_watcher(watcher);
        task_reap_soon(task);
}

/* ---- sending ------------------------------------------------------------------------------------- */

static int send_copy(Client *client, const cJSON *event) {
        cJSON *copy = cJSON_Duplicate(event, true);

        return copy ? client_notify(client, "task.event", copy) : -ENOMEM;
}

static cJSON *lagged(const char *task, uint64_t cursor) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "event", "lagged");
        json_add_text(json, "task", task);
        json_add_number(json, "cursor", cursor);
        return json;
}

/* Tell a watcher that has missed something what it missed, where there is room. Returns: is it well again */
static bool catch_up(Watcher *watcher) {
        if (!watcher->missed)
                return true;
        if (client_notify(watcher->client, "task.event",
                          lagged(watcher->task->id, watcher->missed)) < 0)
                return false;
        watcher->missed = 0;
        return true;
}

static void send_to(Watcher *watcher, const cJSON *event, uint64_t seq, bool last) {
        if (watcher->ended)
                return;
        if (!catch_up(watcher) || send_copy(watcher->client, event) < 0) {
                watcher->missed = watcher->missed ? watcher->missed : seq;
                return;
        }
        watcher->ended = last;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

static void arm_retry(Task *task) {
        Events *events = &task->events;
        bool lags = false;

        for (const Watcher *watcher = events->watchers; watcher; watcher = watcher->next)
                lags = lags || watcher->missed;
        if (!lags)
                return;
        if (!events->retry &&
            sd_event_add_time_relative(task->front->event, &events->retry, CLOCK_MONOTONIC,
                                       RETRY_USEC, RETRY_ACCURACY, on_retry, task) < 0)
                return;
        (void) sd_event_source_set_time_relative(events->retry, RETRY_USEC);
        (void) sd_event_source_set_enabled(events->retry, SD_EVENT_ONESHOT);
}

/* The socket says nothing when there is room again, so a lagging watcher is tried ten times a second */
static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        Task *task = userdata;

        (void) source;
        (void) usec;
        for (Watcher *watcher = task->events.watchers; watcher; watcher = watcher->next) {
                bool owes = watcher->missed != 0;

                if (catch_up(watcher) && owes && task->events.last)
                        send_to(watcher, task->events.last, task->events.seq, true);
        }
        arm_retry(task);
        task_reap_soon(task);
        return 0;
}

/* ---- making -------------------------------------------------------------------------------------- */

/* A task that goes on in another supervisor numbers on from what is kept, and beyond what may not have been */
static void count_kept(Task *task) {
        Events *events = &task->events;
        sqlite3_stmt *row;

        if (events->is_counted)
                return;
        events->is_counted = true;
        row = ledger_query(task->front->ledger, NULL,
                           "SELECT ifnull(max(seq), 0), ifnull(sum(length(event)), 0) FROM "
                           "task_events WHERE task = ?1",
                           "t", task->id);
        if (row && sqlite3_step(row) == SQLITE_ROW) {
                events->seq = (uint64_t) sqlite3_column_int64(row, 0);
                events->kept = (uint64_t) sqlite3_column_int64(row, 1);
        }
        (void) sqlite3_finalize(row);
        if (events->kept > EVENTS_KEPT_MAX)
                events->seq += EVENTS_KEPT_EACH;
}

static cJSON *make(Task *task, const EventHead *head, cJSON *data) {
        cJSON *json = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX];

        json_add_number(json, "seq", ++task->events.seq);
        json_add_text(json, "time", units_format_time(units_now(), time));
        json_add_text(json, "task", task->id);
        json_add_text(json, "event", head->event);
        if (head->step)
                json_add_text(json, "step", head->step);
        if (head->iteration)
                json_add_number(json, "iteration", head->iteration);
        json_add_consume(json, "data", data ? data : cJSON_CreateObject());
        json_add_consume(json, "used", task_used(task));
        return json;
}

static void keep(Task *task, const EventHead *head, const cJSON *json) {
        autofree char *text = NULL;
        Error err = ERROR_EMPTY;

        if (head->from_agent && task->events.kept > EVENTS_KEPT_MAX &&
            task->events.seq % EVENTS_KEPT_EACH != 0)
                return;
        text = json_print(json);
        task->events.kept += text ? strlen(text) : 0;
        if (text && ledger_exec(task->front->ledger, &err,
                                "INSERT INTO task_events(task, seq, event) VALUES(?1, ?2, ?3)",
                                "tit", task->id, (int64_t) task->events.seq, text) < 0)
                log_event(LOG_WARNING, "an event could not be kept", F("TASK", task->id),
                          F_ERR(&err));
}

void events_place(char *path) {
        char *to = path;

        for (const char *at = path; *at;) {
                size_t part = strcspn(at, "/"), id = strcspn(at, "[~/");

                if (id > 0) {
                        if (to > path)
                                *to++ = '/';
                        memmove(to, at, id);
                        to += id;
                }
                at += part;
                at += *at == '/';
        }
        *to = '\0';
}

/* Numbered and kept. Returns: fresh, or NULL: no memory */
static cJSON *note(Task *task, const EventHead *head, cJSON *data) {
        cJSON *json;

        assert(event_row_find(head->event));
        count_kept(task);
        json = make(task, head, data);
        if (json)
                keep(task, head, json);
        return json;
}

static void tell_consume(Task *task, cJSON *json, bool last) {
        if (!json)
                return;
        for (Watcher *watcher = task->events.watchers; watcher; watcher = watcher->next)
                send_to(watcher, json, task->events.seq, last);
        if (last) {
                json_free(task->events.last);
                task->events.last = json;
        } else {
                json_free(json);
        }
        arm_retry(task);
}

void events_emit(Task *task, const EventHead *head, cJSON *data) {
        tell_consume(task, note(task, head, data), false);
}

static cJSON *note_state(Task *task) {
        const EventHead head = { .event = "task.state" };
        cJSON *data = cJSON_CreateObject();

        json_add_text(data, "state", task_state_name(task->state));
        if (task->cause[0])
                json_add_text(data, "cause", task->cause);
        if (task->summary[0])
                json_add_text(data, "summary", task->summary);
        return note(task, &head, data);
}

void events_emit_state(Task *task) {
        tell_consume(task, note_state(task), task_is_final(task));
}

/* A receipt that cannot be written says so in the log; the task has ended all the same */
int events_save_state(Task *task, cJSON **ret_event, Error *err) {
        Ledger *ledger = task->front->ledger;
        int r = ledger_begin(ledger, task_is_final(task), err);
        bool together = r == 0, ends = task_is_final(task) && task_receipt_end(task);

        if (together)
                r = task_ledger_save(task, err);
        *ret_event = note_state(task);
        r = together ? ledger_end(ledger, r, err) : r;
        if (ends && r >= 0)
                task_receipt_sign(task);
        return r;
}

void events_tell_state_consume(Task *task, cJSON *event) {
        tell_consume(task, event, task_is_final(task));
}

/* ---- watching ------------------------------------------------------------------------------------ */

/* Row by row, so that a long log needs no memory; the callback says whether to go on */
static int each_event(Front *front, const char *task, uint64_t from,
                      bool (*each)(const cJSON *event, size_t bytes, void *userdata),
                      void *userdata) {
        sqlite3_stmt *rows = ledger_query(front->ledger, NULL,
                                          "SELECT event FROM task_events WHERE task = ?1 AND "
                                          "seq >= ?2 ORDER BY seq",
                                          "ti", task, (int64_t) from);
        bool more = true;

        if (!rows)
                return -EIO;
        while (more && sqlite3_step(rows) == SQLITE_ROW) {
                SCOPED(json_free) cJSON *json = NULL;
                size_t n = (size_t) sqlite3_column_bytes(rows, 0);

                if (json_parse((const char *) sqlite3_column_text(rows, 0), n, 0, &json, NULL) == 0)
                        more = each(json, n, userdata);
        }
        (void) sqlite3_finalize(rows);
        return 0;
}

static bool send_kept(const cJSON *event, size_t bytes, void *userdata) {
        Watcher *watcher = userdata;
        uint64_t seq = 0;

        (void) bytes;
        (void) json_number(event, "seq", &seq);
        send_to(watcher, event, seq, false);
        return watcher->missed == 0;
}

uint64_t events_last_state(const Front *front, const char *task) {
        int64_t seq = ledger_number(front->ledger, 0,
                                    "SELECT max(seq) FROM task_events WHERE task = ?1 AND "
                                    "json_extract(event, '$.event') = 'task.state'",
                                    "t", task);

        return seq > 0 ? (uint64_t) seq : 0;
}

int events_watch(Task *task, Client *client, Error *err) {
        Watcher *watcher;
        unsigned n = 0;

        for (watcher = task->events.watchers; watcher; watcher = watcher->next, n++)
                if (watcher->client == client) { /* it asks again, from where it lags */
                        watcher->missed = 0;
                        return 0;
                }
        if (n >= WATCHERS_MAX)
                return error_say(err, -EBUSY, "task %s has %u watchers already", task->id, n);
        watcher = calloc(1, sizeof(*watcher));
        if (!watcher)
                return error_set(err, -ENOMEM, "watch task %s", task->id);
        *watcher = (Watcher){ .task = task, .client = client };
        if (client_watch(client, on_client_gone, watcher) < 0) {
                free(watcher);
                return error_set(err, -ENOMEM, "watch task %s", task->id);
        }
        watcher->next = task->events.watchers;
        task->events.watchers = watcher;
        return 0;
}

void events_catch_up(Task *task, Client *client, uint64_t from) {
        Watcher *watcher = task->events.watchers;

        while (watcher && watcher->client != client)
                watcher = watcher->next;
        if (!watcher || from == 0)
                return;
        (void) each_event(task->front, task->id, from, send_kept, watcher);
        arm_retry(task);
}

/* ---- tasks that have ended ----------------------------------------------------------------------- */

typedef struct Replay {
        Client *client;
        const char *task;
        size_t bytes;
        uint64_t missed;
        cJSON *last; /* owned */
} Replay;

static bool replay_one(const cJSON *event, size_t bytes, void *userdata) {
        Replay *replay = userdata;
        uint64_t seq = 0;

        json_free(replay->last);
        replay->last = cJSON_Duplicate(event, true);
        if (replay->missed)
                return true;
        replay->bytes += bytes;
        (void) json_number(event, "seq", &seq);
        if (replay->bytes > EVENTS_REPLAY_MAX) {
                replay->missed = seq;
                return true;
        }
        if (send_copy(replay->client, event) < 0)
                replay->missed = seq;
        return true;
}

void events_replay(Front *front, Client *client, const char *task, uint64_t from) {
        Replay replay = { .client = client, .task = task };

        (void) each_event(front, task, from, replay_one, &replay);
        if (replay.missed && replay.last) { /* nobody tries again, so there is room for these two */
                client_notify_asked(client, "task.event", lagged(task, replay.missed));
                client_notify_asked(client, "task.event", TAKE_PTR(replay.last));
        }
        json_free(replay.last);
}

typedef struct Page {
        cJSON *events; /* owned */
        unsigned left;
        size_t bytes;
} Page;

static bool add_to_page(const cJSON *event, size_t bytes, void *userdata) {
        Page *page = userdata;

        page->bytes += bytes;
        if (page->bytes > EVENTS_REPLAY_MAX / 16) /* a line of the protocol holds 1 MiB */
                return cJSON_GetArraySize(page->events) == 0 &&
                       json_push_consume(page->events, cJSON_Duplicate(event, true));
        return json_push_consume(page->events, cJSON_Duplicate(event, true)) && --page->left > 0;
}

cJSON *events_page(Front *front, const char *task, uint64_t from, unsigned limit, Error *err) {
        Page page = { .events = cJSON_CreateArray(), .left = limit };

        if (!page.events || limit == 0 || each_event(front, task, from, add_to_page, &page) < 0) {
                json_free(page.events);
                error_say(err, -EIO, "the events of task %s cannot be read", task);
                return NULL;
        }
        return page.events;
}

bool events_owed(const Events *events) {
        for (const Watcher *watcher = events->watchers; watcher; watcher = watcher->next)
                if (watcher->missed)
                        return true;
        return false;
}

void events_deinit(Events *events) {
        while (events->watchers)
                remove_watcher(events->watchers);
        sd_event_source_disable_unref(events->retry);
        events->last = json_free(events->last);
        *events = (Events){ 0 };
}

#pragma once
/*
 * events: what a task tells: numbered, kept in the ledger, and sent to those who watch. A watcher that does
 * not read is told `lagged` with the number from which it misses events, when there is room again; the last
 * event of a task reaches every watcher that reads at all.
 */
#include "supervisor/front/clients.h"

#define EVENTS_KEPT_MAX \
        (64u << 20) /* bytes of one task; then only what the supervisor itself has to say */
#define EVENTS_KEPT_EACH \
        1000u /* and of the agent's each of these, so that no number is given twice */
#define EVENT_BYTES_MAX   16384u /* of an agent's event */
#define EVENTS_PAGE_MAX   200u
#define EVENTS_REPLAY_MAX (2u << 20) /* bytes sent at once to a watcher of a task that has ended */
#define WATCHERS_MAX      16u

typedef struct Task Task;
typedef struct Watcher Watcher;

typedef struct Events {
        uint64_t seq;           /* of the last one */
        uint64_t kept;          /* bytes in the ledger */
        bool is_counted;        /* seq and kept are those of the ledger */
        Watcher *watchers;      /* owned list */
        sd_event_source *retry; /* armed only while a watcher lags */
        cJSON *last;            /* owned: the final event */
} Events;

typedef struct EventHead {
        const char *event;  /* "verify.end" */
        const char *step;   /* NULL: none */
        uint64_t iteration; /* 0: none */
        bool from_agent;    /* not kept when there are too many */
} EventHead;

/** events_emit() - number, keep and send one; @data is consumed, NULL: {} */
void events_emit(Task *task, const EventHead *head, cJSON *data);
/** events_emit_state() - "task.state", which in a final state is the last event */
void events_emit_state(Task *task);
/**
 * events_save_state() - the task's row, the event that tells its state and, of a final one, the last line of its
 * receipt are kept together: whoever looks after a crash finds all of them or none, and who waits for the last event does not wait for ever
 * @ret_event: for events_tell_state_consume(), also where it fails; NULL: no memory
 *
 * Returns: 0, or negative errno: the row is not kept. A final state is on disk when it returns.
 */
int events_save_state(Task *task, cJSON **ret_event, Error *err);
/** events_tell_state_consume() - to all who watch; NULL is fine */
void events_tell_state_consume(Task *task, cJSON *event);

/** events_place() - an instance path becomes a place, in itself: "loop[2]/~1/code" is "loop/code" */
void events_place(char *path);

/** events_last_state() - number of the event that told a task's last change of state; 0: none */
uint64_t events_last_state(const Front *front, const char *task);

/** events_watch() - send what is to come to @client. Returns: 0, -EBUSY above WATCHERS_MAX, or -ENOMEM */
int events_watch(Task *task, Client *client, Error *err);
/** events_catch_up() - send a new watcher what is kept from @from on; 0: nothing */
void events_catch_up(Task *task, Client *client, uint64_t from);
/** events_replay() - to one client, what is kept of a task that has ended; the last event always */
void events_replay(Front *front, Client *client, const char *task, uint64_t from);
/** events_page() - kept events of a task from @from on, at most @limit, as a fresh array; NULL with @err */
cJSON *events_page(Front *front, const char *task, uint64_t from, unsigned limit, Error *err);
/** events_owed() - does a watcher still wait for the last event */
bool events_owed(const Events *events);
/** events_deinit() */
void events_deinit(Events *events);

#pragma once
/*
 * jail-log: what happens to the jails that clients asked for, as events: numbered, the last ones kept in memory, and sent
 * to those who watch. Each user has a log of its own, and there is one of all, which administrators see; so no
 * number tells a user what others do.
 *
 * Numbers begin with the time at which a log began, in microseconds since 1970: one that is begun anew, after a
 * restart or because it was dropped, goes on above all that it told before.
 */
#include "supervisor/front/clients.h"
#include "supervisor/front/jails/jail-event.h"

#define JAIL_LOG_KEPT_MAX     1024u /* events of one user */
#define JAIL_LOG_KEPT_ALL_MAX 8192u /* of all together */
#define JAIL_LOG_WATCHERS_MAX 32u   /* of one log */
#define JAIL_LOG_PAGE_MAX     200u

typedef struct JailLog JailLog;

/** jail_log_new() - nothing has happened. Returns: 0 or -ENOMEM */
int jail_log_new(Front *front, JailLog **ret, Error *err);
/** jail_log_free() - when no client and no jail is left; NULL is fine. Returns: NULL */
JailLog *jail_log_free(JailLog *log);

/** jail_log_join() - a reference to the log of @uid, for a jail; NULL: no memory */
LogRing *jail_log_join(JailLog *log, uint32_t uid);
/** jail_log_leave() - give it back; NULL is fine. What is kept stays as long as there is room. Returns: NULL */
LogRing *jail_log_leave(LogRing *ring);

/** jail_log_tell() - number, keep and send one; nothing where the jail's events are told to nobody */
void jail_log_tell(FrontJail *jail, const JailEvent *event);

typedef struct JailLogAsk {
        Client *client;
        uint32_t uid;     /* whose; 0: all */
        const char *jail; /* borrowed; NULL: all jails */
        bool alive;       /* is it */
        uint64_t from;    /* number; 0: from now on */
} JailLogAsk;

/**
 * jail_log_watch() - send what is to come to a client
 *
 * A connection has one watch: asking again takes its place, and it lags no more. It ends with the jail that it
 * names, and with its client.
 *
 * Returns: 0, -EBUSY above JAIL_LOG_WATCHERS_MAX, or -ENOMEM.
 */
int jail_log_watch(JailLog *log, const JailLogAsk *ask, Error *err);
/** jail_log_catch_up() - send a new watcher what is kept from @ask->from on */
void jail_log_catch_up(JailLog *log, const JailLogAsk *ask);
/** jail_log_has() - is an event of @ask->jail kept */
bool jail_log_has(JailLog *log, const JailLogAsk *ask);
/** jail_log_describe() - add "seq" (of the last event), "first" (of the oldest that is kept) and "missed" (is something from @ask->from on not kept any more) */
void jail_log_describe(JailLog *log, const JailLogAsk *ask, cJSON *json);
/** jail_log_page() - kept ones from @ask->from on as "events", at most @limit, and "next" where there are more. Returns: 0 or -ENOMEM */
int jail_log_page(JailLog *log, const JailLogAsk *ask, unsigned limit, cJSON *json);

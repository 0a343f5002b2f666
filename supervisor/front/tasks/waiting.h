#pragma once
/*
 * waiting: who waits for people: the clock of open questions, and the clients that want to hear of them
 * (`warder task watch --waiting`). The front starts no program to tell anybody: whoever wants one started
 * listens here, as a user.
 */
#include "supervisor/front/clients.h"
#include "supervisor/front/paging.h"
#include "supervisor/front/tasks/questions.h"

#define WAITING_PART         'w'         /* of a page */
#define WAITING_WATCHERS_MAX CLIENTS_MAX /* each once: nobody takes the place of another */

typedef struct Waiting Waiting;

/** waiting_new() - at start: what tasks that are over had asked is withdrawn; the clock runs */
int waiting_new(Front *front, Waiting **ret, Error *err);
/** waiting_free() - NULL is fine. Returns: NULL */
Waiting *waiting_free(Waiting *waiting);

/** waiting_touch() - open questions have changed: the clock is set anew */
void waiting_touch(Waiting *waiting);
/** waiting_asked() - there is a new one: who listens is told */
void waiting_asked(Waiting *waiting, const Question *question);
/** waiting_decided() - one is decided: likewise */
void waiting_decided(Waiting *waiting, const Question *question);

/** waiting_watch() - tell @client from now on. Returns: 0, -EBUSY above WAITING_WATCHERS_MAX, -ENOMEM */
int waiting_watch(Waiting *waiting, Client *client, Error *err);
/**
 * waiting_list() - the open questions that @client may know of, oldest first, as far as a page goes
 * @own:    only those that it may answer
 * @paging: has the part WAITING_PART
 *
 * An administrator who may not answer learns that somebody is waited for, not what was asked.
 */
void waiting_list(Client *client, bool own, Paging *paging, cJSON *list);

/*
 * waiting: see waiting.h.
 *
 * One timer for all: it is set to the first time that is over, on the wall clock, since people were told a
 * time of day; a host that slept is late, and then decides at once.
 */
#include "supervisor/front/tasks/waiting.h"

#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/tasks/task-ask.h"

#define ACCURACY_USEC 500000u
#define AGAIN_USEC    60000000ull /* where the ledger takes no decision */

typedef struct Listener {
        struct Listener *next;
        Waiting *waiting; /* borrowed */
        Client *client;   /* borrowed */
        bool missed;      /* something: it is to ask for the list again */
} Listener;

struct Waiting {
        Front *front; /* borrowed, outlives us */
        sd_event_source *timer;
        Listener *listeners; /* owned list */
};

/* ---- the clock ------------------------------------------------------------------------------------- */

static int expire(Front *front, Question *question) {
        const cJSON *otherwise = json_get(question->what, "otherwise");
        Error err = ERROR_EMPTY;
        int r;

        question->decision = DECISION_EXPIRED;
        question->answer = otherwise ? cJSON_Duplicate(otherwise, true) : NULL;
        r = task_ask_decide(front, question, &err);
        if (r < 0)
                log_event(LOG_ERR, "a question whose time is over stays open",
                          F("QUESTION", question->id), F_ERR(&err));
        return r;
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata) {
        Waiting *waiting = userdata;
        int r = 0;

        (void) usec;
        while (r == 0) {
                SCOPED(question_deinit) Question question = QUESTION_EMPTY;

                if (questions_due(waiting->front, units_now(), &question) < 0)
                        break;
                r = expire(waiting->front, &question);
        }
        if (r == 0) {
                waiting_touch(waiting);
                return 0;
        }
        (void) sd_event_source_set_time(source, units_now() + AGAIN_USEC);
        (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        return 0;
}

void waiting_touch(Waiting *waiting) {
        uint64_t when;

        if (!waiting)
                return;
        if (questions_next(waiting->front, &when) < 0) {
                (void) sd_event_source_set_enabled(waiting->timer, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time(waiting->timer, when);
        (void) sd_event_source_set_enabled(waiting->timer, SD_EVENT_ONESHOT);
}

/* ---- who listens ----------------------------------------------------------------------------------- */

typedef enum Sight { SEES_NOTHING, SEES_THAT_IT_IS, SEES_IT, MAY_ANSWER } Sight;

/* All, where it may answer or the task is its own; that it is there, as an administrator */
static Sight sight_of(const Question *question, const Client *client) {
        AnswerWho who = client_who(client);

        if (answer_rules_allow(&question->rules, question->owner_uid, &who))
                return MAY_ANSWER;
        if (who.uid == question->owner_uid)
                return SEES_IT;
        return who.admin ? SEES_THAT_IT_IS : SEES_NOTHING;
}

static cJSON *as_seen(const Question *question, Sight sight) {
        cJSON *json = sight == SEES_THAT_IT_IS ? question_json_outside(question)
                                               : question_json(question, false);

        json_add_bool(json, "yours", sight == MAY_ANSWER);
        return json;
}

static void send_to(Listener *listener, const Question *question) {
        Sight sight = sight_of(question, listener->client);
        cJSON *json = sight > SEES_NOTHING ? as_seen(question, sight) : NULL;
        cJSON *lagged;

        if (!json)
                return;
        if (listener->missed) {
                lagged = cJSON_CreateObject();
                json_add_bool(lagged, "lagged", true);
                listener->missed = client_notify(listener->client, "task.waiting", lagged) < 0;
        }
        if (listener->missed)
                json_free(json);
        else if (client_notify(listener->client, "task.waiting", json) < 0)
                listener->missed = true;
}

static void tell(Waiting *waiting, const Question *question) {
        for (Listener *at = waiting->listeners; at; at = at->next)
                send_to(at, question);
        waiting_touch(waiting);
}

void waiting_asked(Waiting *waiting, const Question *question) {
        if (waiting)
                tell(waiting, question);
}

void waiting_decided(Waiting *waiting, const Question *question) {
        if (waiting)
                tell(waiting, question);
}

static void on_client_gone(Client *client, void *userdata) {
        Listener *listener = userdata;
        Listener **at = &listener->waiting->listeners;

        (void) client;
        while (*at != listener)
                at = &(*at)->next;
        *at = listener->next;
        free(listener);
}

int waiting_watch(Waiting *waiting, Client *client, Error *err) {
        Listener *listener;
        unsigned n = 0;

        for (listener = waiting->listeners; listener; listener = listener->next, n++)
                if (listener->client == client) {
                        listener->missed = false;
                        return 0;
                }
        if (n >= WAITING_WATCHERS_MAX)
                return error_say(err, -EBUSY, "%u clients listen already", n);
        listener = calloc(1, sizeof(*listener));
        if (!listener)
                return error_set(err, -ENOMEM, "listen for questions");
        *listener = (Listener){ .waiting = waiting, .client = client };
        if (client_watch(client, on_client_gone, listener) < 0) {
                free(listener);
                return error_set(err, -ENOMEM, "listen for questions");
        }
        listener->next = waiting->listeners;
        waiting->listeners = listener;
        return 0;
}

typedef struct Listing {
        Front *front;
        const Client *client;
        Paging *paging;
        cJSON *list;
        bool own;
} Listing;

/* What was asked is read only of those that are told */
static bool add(const Question *question, void *userdata) {
        SCOPED(question_deinit) Question whole = QUESTION_EMPTY;
        Listing *listing = userdata;
        Sight sight = sight_of(question, listing->client);
        PagePlace place = { WAITING_PART, true, question->row, "" };

        if (sight < (listing->own ? MAY_ANSWER : SEES_THAT_IT_IS) ||
            questions_find(listing->front, question->id, &whole, NULL) < 0)
                return true;
        return paging_push_consume(listing->paging, listing->list, as_seen(&whole, sight), &place,
                                   whole.bytes);
}

void waiting_list(Client *client, bool own, Paging *paging, cJSON *list) {
        Listing listing = { client_front(client), client, paging, list, own };
        QuestionQuery query = { .parts = QUESTION_RULES };
        PagePlace from;

        if (!paging_from(paging, WAITING_PART, &from))
                return;
        query.after = from.number;
        questions_each(listing.front, &query, add, &listing);
}

/* ---- life ------------------------------------------------------------------------------------------ */

int waiting_new(Front *front, Waiting **ret, Error *err) {
        Waiting *waiting = calloc(1, sizeof(*waiting));
        int r;

        if (!waiting)
                return error_set(err, -ENOMEM, "watch the clock of questions");
        waiting->front = front;
        r = questions_recover(front, err);
        if (r == 0) {
                r = sd_event_add_time(front->event, &waiting->timer, CLOCK_REALTIME, 0,
                                      ACCURACY_USEC, on_due, waiting);
                if (r < 0)
                        r = error_set(err, r, "watch the clock of questions");
        }
        if (r < 0) {
                waiting_free(waiting);
                return r;
        }
        (void) sd_event_source_set_description(waiting->timer, "questions");
        waiting_touch(waiting);
        *ret = waiting;
        return 0;
}

Waiting *waiting_free(Waiting *waiting) {
        if (!waiting)
                return NULL;
        while (waiting->listeners) {
                Listener *listener = waiting->listeners;

                client_unwatch(listener->client, on_client_gone, listener);
                waiting->listeners = listener->next;
                free(listener);
        }
        sd_event_source_disable_unref(waiting->timer);
        free(waiting);
        return NULL;
}

#pragma once
/*
 * session: everything that one run of the agent owns: its task socket, what task.info said, the roles,
 * the workflow, the model, the loop, and the cause of its end.
 */
#include "agent/cause.h"
#include "agent/link.h"
#include "agent/loop.h"
#include "agent/model/provider.h"
#include "agent/roles/role.h"
#include "agent/workflow/guards.h"

#define EVENT_TEXT_MAX \
        2400 /* bytes of one text in an event: a plan; escaped it must fit into one */

typedef struct Session {
        Link *link;                          /* owned */
        Loop *loop;                          /* owned */
        cJSON *info;                         /* owned; result of task.info */
        RoleSet roles;                       /* owned */
        Provider *provider;                  /* owned */
        unsigned calls[ROLES_MAX];           /* model calls of each role so far */
        unsigned calls_committed[ROLES_MAX]; /* of them, those of steps that are done */
        Cause cause;
        cJSON *claims; /* owned; {step: times it said it was done since the last verify} */
        GuardHit guard_hits
                [_GUARD_MAX]; /* of each guard that ended a step: the figures of the end */
} Session;

/**
 * session_open() - ask task.info and make roles and model
 * @link_consume: freed by session_close(), in each case
 *
 * Returns: 0, or negative errno with session->cause set; session_close() in each case.
 */
int session_open(Session *session, Link *link_consume, Error *err);

/** session_close() - release all */
void session_close(Session *session);

/** session_fail() - keep the first cause. Returns: @code */
int session_fail(Session *session, Cause cause, int code);

/**
 * session_event() - tell people what happens
 * @step, @iteration: where; NULL and 0: the run as a whole
 * @data_consume:     bounded by the caller (session_text()); NULL: {}
 *
 * Returns: 0 or negative errno: the supervisor is gone.
 */
int session_event(Session *session, const char *event, const char *step, unsigned iteration,
                  cJSON *data_consume);

/** session_text() - a text member for an event, cut to EVENT_TEXT_MAX */
void session_text(cJSON *data, const char *name, const char *text);

/** session_finish() - the last word: done, or failed with the cause. Returns: 0 or negative errno */
int session_finish(Session *session, const char *summary, Error *err);

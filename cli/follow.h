#pragma once
/*
 * follow: a task watched to its end.
 */
#include "base/buf.h"
#include "base/ids.h"
#include "cli/link.h"
#include "cli/progress.h"
#include "cli/task-live.h"

#define STATE_TEXT_MAX 32

typedef struct Follow Follow;

struct Follow {
        Link *link; /* borrowed */
        char task[ID_MAX];
        bool json;      /* events go to stdout as they are */
        bool is_plain;  /* lines, also where a tree could be drawn */
        bool leaves;    /* it ends where the task waits for a person: state is then "suspended" */
        unsigned asked; /* questions to people that are open, as far as events told */
        bool cancels;   /* the first signal cancels the task; else it only ends the watching */
        unsigned n_signals;
        uint64_t cursor; /* of events that we missed; 0: none */
        char state[STATE_TEXT_MAX];
        uint64_t seq;       /* of the last event that came */
        uint64_t known;     /* of the last change of state so far: final ones before it are past */
        const char *socket; /* borrowed: where the supervisor is looked for when it was restarted */
        Progress progress;
        TaskLive live; /* used where its fd is set: instead of progress */
        Buf *events;   /* lines are kept here; NULL: not */
        /* takes each new event instead of all that; NULL: nobody does */
        void (*on_event)(Follow *follow, const cJSON *event);
        void *userdata; /* of on_event, borrowed */
};

#define FOLLOW_EMPTY ((Follow){ .live = TASK_LIVE_EMPTY })

/** follow_is_final() - is this state one that a task stays in */
bool follow_is_final(const char *state);

/** follow_exit_code() - of a final state, or "suspended" */
int follow_exit_code(const char *state);

/** follow_attach() - serve this link's notifications and signals from now on; a signal before the task has a
 * name stops the call that is waiting */
void follow_attach(Follow *follow, Link *link);

/**
 * follow_live() - show a tree on the terminal instead of lines, until follow_task() returns
 *
 * Does nothing with json, where stdout or stderr is no terminal, or one that cannot draw.
 *
 * Returns: 0 or negative errno.
 */
int follow_live(Follow *follow, Error *err);

/**
 * follow_task() - watch from event @from (1: the first; 0: from now on) until the final state, or one that it leaves at
 *
 * Where the supervisor is restarted meanwhile, it goes on behind the last event that came.
 *
 * Returns: 0 and state is set; LINK_E_STOPPED: a signal ended it; LINK_E_REFUSED; negative errno.
 */
int follow_task(Follow *follow, uint64_t from, Error *err);

#pragma once
/*
 * workspace-live: a workspace that runs, or of which something is wanted. One that is stopped, and of which
 * nothing is wanted, has a row in the ledger and no struct here. Calls wait in three lists; each change of
 * state serves those that it is for. For workspace-life.c and workspace-time.c.
 */
#include "supervisor/front/workspaces/workspace-life.h"

typedef enum LiveState {
        LIVE_MAKING = 0, /* the monitor makes its disk */
        LIVE_STOPPED,    /* for a moment: whatever is wanted next begins, or the struct goes */
        LIVE_LOOKING,    /* it is to start: is there room for it */
        LIVE_STARTING,   /* its jail was asked for */
        LIVE_RUNNING,
        LIVE_ENDING,   /* its jail is being ended: the last mount of its disk goes with it */
        LIVE_REMOVING, /* the monitor removes its disk */
        _LIVE_STATE_MAX,
} LiveState;

typedef struct Waiter Waiter;

struct Waiter { /* a call that waits */
        Waiter *next;
        Call *call;
        cJSON *exec; /* owned; NULL: it only is to run */
        bool stays;
};

typedef struct Live Live;

struct Live {
        Live *next;
        Front *front; /* borrowed, outlives us */
        Workspace info;
        LiveState state;
        struct Launch *launch;            /* borrowed; while STARTING */
        FrontJail *jail;                  /* borrowed; while RUNNING and ENDING */
        Waiter *starts, *stops, *removes; /* owned */
        bool remove;                      /* wanted, by a call or because its time is over */
        bool stays;                       /* somebody wants it to go on running */
        bool fresh;                       /* it has never run: it goes if nobody gets it */
        bool charged;                     /* the create of its next start was */
        unsigned looks;                   /* at disks, while LOOKING: answers that are to come */
        sd_event_source *idle;            /* owned */
        sd_event_source *again;           /* owned: to ask once more for its removal */
        unsigned tries;
};

struct Workspaces {
        Front *front;         /* borrowed */
        Live *first;          /* owned list */
        sd_event_source *ttl; /* owned: the next end */
};

/** live_find() - by the id of its jail; NULL: none */
Live *live_find(const Front *front, const char *id);
/** live_get() - likewise, made as STOPPED where there is none; NULL: no memory */
Live *live_get(Front *front, const Workspace *workspace);
/** live_free() - nobody waits for it any more */
void live_free(Live *live);
/** live_set_state() - as the table allows */
void live_set_state(Live *live, LiveState state);

/** live_push() - @call waits in @list, at its end; @exec is copied. Returns: 0 or -ENOMEM */
int live_push(Waiter **list, Call *call, const cJSON *exec, bool stays);
/** live_pop() - the first, owned by the caller; NULL: none */
Waiter *live_pop(Waiter **list);
/** live_waiter_free() - of a call that was answered */
void live_waiter_free(Waiter *waiter);
/** live_refuse_all() - answer all of a list with @err, by jail_refuse(); what the first was refused, all are */
void live_refuse_all(Live *live, Waiter **list, const Error *err);
/** live_answer_all() - answer all of a list with nothing to say */
void live_answer_all(Waiter **list);

/** live_step() - what is wanted of it begins, if this is the time. It may be gone after that */
void live_step(Live *live);
/** live_end_jail() - of one that runs */
void live_end_jail(Live *live);
/** live_looked() - all looks of one that is LOOKING have been answered */
void live_looked(Live *live);

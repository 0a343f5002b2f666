#pragma once
/*
 * follow: a task watched to its end.
 */
#include "base/buf.h"
#include "base/ids.h"
#include "cli/link.h"
#include "cli/progress.h"

#define STATE_TEXT_MAX 32

typedef struct Follow {
        Link *link; /* borrowed */
        char task[ID_MAX];
        bool json;    /* events go to stdout as they are */
        bool cancels; /* the first signal cancels the task; else it only ends the watching */
        unsigned n_signals;
        uint64_t cursor; /* of events that we missed; 0: none */
        char state[STATE_TEXT_MAX];
        Progress progress;
        Buf *events; /* lines are kept here; NULL: not */
} Follow;

/** follow_is_final() - is this state one that a task stays in */
bool follow_is_final(const char *state);

/** follow_exit_code() - of a final state */
int follow_exit_code(const char *state);

/** follow_attach() - serve this link's notifications and signals from now on; a signal before the task has a
 * name stops the call that is waiting */
void follow_attach(Follow *follow, Link *link);

/**
 * follow_task() - watch from event @from (1: the first; 0: from now on) until the final state
 * Returns: 0 and state is set; LINK_E_STOPPED: a signal ended it; LINK_E_REFUSED; negative errno.
 */
int follow_task(Follow *follow, uint64_t from, Error *err);

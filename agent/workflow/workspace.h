#pragma once
/*
 * workspace: forks of the task's workspace, and how their work comes back. A branch whose engine has a fork runs its
 * commands, tools and verifies there. What a merge gives is laid by us: the supervisor only works it out
 * (warder-agent(7), methods fork and merge). One at a time touches the task's own workspace: a fork that was made
 * amid a merge would begin with half of it.
 */
#include "agent/workflow/engine.h"

typedef struct Merging {
        cJSON *conflicts;     /* owned; [{"path", "kind"}], empty where all is merged */
        uint64_t conflicting; /* how many there are */
        char *changes;        /* owned: lines "MODE BYTES PATH", each with its bytes */
        size_t n;
} Merging;

#define MERGING_EMPTY ((Merging){ 0 })

/** workspace_take() - wait until nobody else forks or merges. Returns: 0 or negative errno with the cause set */
int workspace_take(Engine *engine, Error *err);
/** workspace_leave() - let the next one */
void workspace_leave(Engine *engine);

/** workspace_life() - count how often the step that runs was begun: forks of an earlier life of the agent are gone. Returns: 0 or negative errno with the cause set */
int workspace_life(Engine *engine, unsigned *ret_life, Error *err);
/** workspace_nested() - refuse a split or a race inside of a fork. Returns: negative errno */
int workspace_nested(Engine *engine, Error *err);

/**
 * workspace_begin() - the steps of @engine work in a fork of the task's own workspace from now on
 * @ret_fork: zeroed, or one that is ended before
 *
 * Waits for its turn, and for room: a task has so many forks at a time, and one that was ended counts until its
 * jail is gone.
 *
 * Returns: 0 or negative errno with the cause set.
 */
int workspace_begin(Engine *engine, uint64_t *ret_fork, Error *err);
/** workspace_again() - the same for who has the turn, and keeps it */
int workspace_again(Engine *engine, uint64_t *ret_fork, Error *err);
/** workspace_end() - a fork is not needed any more; one that is gone already is fine */
void workspace_end(Engine *engine, uint64_t fork);

/** workspace_merge() - work out what @fork means for the task's own workspace. Returns: as workspace_begin(); released by merging_deinit() */
int workspace_merge(Engine *engine, uint64_t fork, Merging *ret_merging, Error *err);
/** workspace_lay() - make the changes in @fork; 0: in the task's own workspace. Returns: as workspace_begin() */
int workspace_lay(Engine *engine, const Merging *merging, uint64_t fork, Error *err);
/** workspace_marked() - of the conflicts, how many files in @fork still hold a conflict's marks. Returns: it, or negative errno */
int workspace_marked(Engine *engine, const Merging *merging, uint64_t fork, Error *err);

/** merging_deinit() - release it */
void merging_deinit(Merging *merging);
static inline void merging_deinit_scoped(Merging *merging) {
        merging_deinit(merging);
}

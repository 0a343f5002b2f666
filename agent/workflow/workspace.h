#pragma once
/*
 * workspace: forks of the task's workspace, and how their work comes back. A branch whose engine has a fork runs its
 * commands, tools and verifies there. What a merge gives is laid by us: the supervisor only works it out
 * (warder-agent(7), methods fork and merge). One at a time touches the task's own workspace: a fork that was made
 * amid a merge would begin with half of it.
 */
#include "agent/workflow/engine.h"

#define WORKSPACE_FORKS_MAX 12 /* at a time, by all branches; the supervisor's limit too */

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
 * @ret_fork: set on success only; ended by workspace_end()
 *
 * Waits until fewer than WORKSPACE_FORKS_MAX are there, for its turn, and for the jail of one that was ended to be gone.
 *
 * Returns: 0 or negative errno with the cause set.
 */
int workspace_begin(Engine *engine, uint64_t *ret_fork, Error *err);
/** workspace_again() - a fresh one in the place of *@fork, for who has the turn, and keeps it. Returns: as workspace_begin() */
int workspace_again(Engine *engine, uint64_t *fork, Error *err);
/** workspace_end() - *@fork is not needed any more: it ends, and is zeroed; 0 is fine, and one that is gone already */
void workspace_end(Engine *engine, uint64_t *fork);

/** workspace_merge() - work out what @fork means for the task's own workspace. Returns: as workspace_begin(); released by merging_deinit() */
int workspace_merge(Engine *engine, uint64_t fork, Merging *ret_merging, Error *err);
/** workspace_marked() - of the conflicts, how many files in @fork still hold a conflict's marks. Returns: it, or negative errno */
int workspace_marked(Engine *engine, const Merging *merging, uint64_t fork, Error *err);

/** merging_deinit() - release it */
void merging_deinit(Merging *merging);
static inline void merging_deinit_scoped(Merging *merging) {
        merging_deinit(merging);
}

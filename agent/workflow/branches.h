#pragma once
/*
 * branches: several parts of a run side by side, each an engine and a strand of its own. parallel, foreach,
 * and whoever needs workers (split, race) are built on it.
 */
#include "agent/workflow/engine.h"

#define BRANCHES_CONCURRENCY_MAX 12

enum { _BRANCH_E_SUCCESS, BRANCH_E_ENOUGH };

typedef struct Branches {
        unsigned n;           /* how many there are */
        unsigned concurrency; /* at most so many at once; 0: BRANCHES_CONCURRENCY_MAX */
        /*
         * Runs branch @index with an engine of its own, whose path is that of the step and whose steps see
         * what the outer one saw at the start. Returns: 0; BRANCH_E_ENOUGH: the others are not needed, end
         * them; negative errno with engine->cause set: the others are ended too.
         */
        int (*run)(Engine *engine, unsigned index, void *userdata, Error *err);
        /* In the outer engine, after a branch succeeded and before its engine goes; may be NULL. */
        int (*done)(Engine *outer, Engine *inner, unsigned index, void *userdata, Error *err);
        void *userdata; /* borrowed */
} Branches;

/**
 * branches_run() - run all, and wait until every one that was begun has ended
 * Returns: 0, or what the first that failed returned, with its cause and its @err.
 */
int branches_run(Engine *engine, const Branches *branches, Error *err);

/**
 * branches_take() - @inner's own step outputs become members of @to; for a done function
 *
 * Never of the outer engine's: branches that still run refer to what is there.
 *
 * Returns: 0 or -ENOMEM.
 */
int branches_take(Engine *inner, cJSON *to);

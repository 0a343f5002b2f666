#pragma once
/*
 * engine: what a running step sees of its run: the values of expressions, {input, state, steps, iteration,
 * item, error}, the path of its instance, events, the journal. walk.h runs steps; branches.h runs several
 * at once.
 *
 * A step instance has a path: ids joined with "/", with "[n]" behind a loop's (n: the iteration, from 1) or
 * a foreach's (n: the item, from 0), "~n" for a further try: "loop[2]/code", "each[7]/work", "par/~1/lint". An
 * instance commits once. A resumed run walks the same tree and takes committed outputs instead of running
 * those steps.
 */
#include "agent/session.h"
#include "agent/workflow/journal.h"
#include "agent/workflow/workflow.h"

#define ENGINE_PATH_MAX 512

/* What all branches of a run share. */
typedef struct Run {
        Session *session; /* borrowed */
        Journal *journal; /* owned */
        cJSON *states; /* owned; state of each workflow that runs, by its instance's path ("": the outermost) */
        cJSON *kept; /* owned; {path: output} of what a further try in this life is not to do again */
        bool state_changed;
        bool memory_changed;
        const struct Engine
                *merging; /* who forks, or merges into, the task's own workspace; NULL: nobody */
        unsigned forks;   /* of the workspace that are there, or being made */
        bool torn;        /* the workspace holds half of a merge, which could not be taken back */
        bool verifying;   /* a verify is under way; the supervisor makes one at a time */
        unsigned
                live; /* branches, and the main flow, that do not only wait for branches of theirs */
        unsigned asking; /* of them: wait for people */
} Run;

struct Engine {
        Session *session; /* borrowed */
        Run *run;         /* borrowed */
        const Workflow *workflow;
        cJSON *data;                /* owned; see engine_data() */
        char path[ENGINE_PATH_MAX]; /* of the step instance that runs: "loop[2]/check" */
        size_t base;                /* bytes of path that lead to this workflow */
        unsigned iteration;         /* of the innermost loop; 0 outside */
        unsigned of;                /* at most so many iterations, or so many items; 0 outside */
        uint64_t fork; /* of the workspace, that its steps work in; 0: the task's own */
        Cause cause;   /* why this branch failed */
};
typedef struct Engine Engine;

/** engine_data() - {input, state, steps, iteration, item, error} as they are now; borrowed until the next change */
const cJSON *engine_data(Engine *engine);

/** engine_output() - the newest output of step @id; borrowed; NULL: it has not run */
const cJSON *engine_output(const Engine *engine, const char *id);

/** engine_state() - the state of this workflow, an object that may be changed (then set run->state_changed) */
cJSON *engine_state(Engine *engine);

/** engine_set_iteration() - what .iteration and the events say from now on; @of: the most there may be */
void engine_set_iteration(Engine *engine, unsigned iteration, unsigned of);

/** engine_set_item() - what .item is from now on (copied). Returns: 0 or -ENOMEM */
int engine_set_item(Engine *engine, const cJSON *item);

/** engine_event() - an event of the step that runs; @data_consume may be NULL. Returns: 0 or negative errno */
int engine_event(Engine *engine, const char *event, cJSON *data_consume);

/** engine_fail() - keep the first cause of this branch. Returns: @code */
int engine_fail(Engine *engine, Cause cause, int code);

/** engine_wait_cause() - the cause for what loop_until() and link_call() return where the wait ended early */
Cause engine_wait_cause(int r);

/** engine_no_memory() - CAUSE_INTERNAL for the step that runs. Returns: -ENOMEM */
int engine_no_memory(Engine *engine, Error *err);

/** engine_fill() - a template over what expressions see; CAUSE_EXPRESSION where it fails. Returns: as template_fill() */
int engine_fill(Engine *engine, const Template *template, char **ret_text, Error *err);

/** engine_test() - a condition over what expressions see; CAUSE_EXPRESSION where it fails */
int engine_test(Engine *engine, unsigned condition, bool *ret_holds, Error *err);

/** engine_eval() - an expression's value, owned by the caller; CAUSE_EXPRESSION where it fails */
int engine_eval(Engine *engine, unsigned expression, cJSON **ret_value, Error *err);

/** engine_refused() - the cause for a link_call() that was refused. Returns: negative errno */
int engine_refused(Engine *engine, const LinkAnswer *answer);

/** engine_answered() - what link_call() returned as 0, or negative errno with the cause set */
int engine_answered(Engine *engine, int r, const LinkAnswer *answer);

/** engine_call() - link_call() with the cause set where it fails. Returns: 0 or negative errno */
int engine_call(Engine *engine, const char *method, cJSON *params_consume, LinkAnswer *ret,
                Error *err);

/** engine_commit() - commit the instance that runs with @output; on disk when it returns. Returns: 0 or negative errno */
int engine_commit(Engine *engine, const cJSON *output, Error *err);

/** engine_place() - the path without iterations and tries: "loop/check". @text of ENGINE_PATH_MAX. Returns: @text */
const char *engine_place(const Engine *engine, char *text);

/** engine_begin_effect() - say that the instance that runs begins an effect outside of the jail */
int engine_begin_effect(Engine *engine, Error *err);

/**
 * engine_note() - commit a decision of the instance that runs, so that a resumed run decides the same
 * @name: a letter-only name; the note goes with the commit of the instance
 */
int engine_note(Engine *engine, const char *name, const cJSON *value, Error *err);

/** engine_noted() - what an earlier life noted; owned by the caller; NULL: nothing */
cJSON *engine_noted(Engine *engine, const char *name);

/** engine_pause() - let @usec pass, within the step's time limit. Returns: 0 or negative errno with the cause set */
int engine_pause(Engine *engine, uint64_t usec, Error *err);

/**
 * engine_suspend() - wait for something outside of the run: a person's answer, or a moment
 * @question_consume: parameters of the method `ask` but for "path", which is added
 * @ret_answer:       owned by the caller
 *
 * Where the journal has an answer for this instance, it is that one. Else the supervisor is asked; it either
 * answers, or parks the task: then this call does not return, because the agent is ended, and the resumed
 * run finds the answer in its journal.
 *
 * Returns: 0, or negative errno with the cause set.
 */
int engine_suspend(Engine *engine, cJSON *question_consume, cJSON **ret_answer, Error *err);

/**
 * engine_ask() - the same, with "path" in the question already, and nothing of the journal
 *
 * The supervisor is told whether other branches work on meanwhile; then it lets the task run.
 */
int engine_ask(Engine *engine, cJSON *question_consume, cJSON **ret_answer, Error *err);

/** engine_live() - a branch begins (1), or ends or waits for its own (-1) */
void engine_live(Engine *engine, int change);

/** engine_rest() - who waits for its branches has begun all that it may: where all wait for people, say so */
void engine_rest(Engine *engine);

#pragma once
/*
 * engine: runs a workflow's tree of steps. It holds what expressions see, {input, state, steps,
 * iteration, item}, checks each output where it is made, and writes a checkpoint after each step.
 */
#include "agent/session.h"
#include "agent/workflow/workflow.h"

#define ENGINE_PATH_MAX 256

struct Engine {
        Session *session;           /* borrowed */
        const Workflow *workflow;   /* borrowed */
        cJSON *data;                /* owned; what expressions see */
        char path[ENGINE_PATH_MAX]; /* of the step that runs: "loop/check" */
        unsigned iteration;         /* of the innermost loop; 0 outside */
};
typedef struct Engine Engine;

/**
 * engine_run() - run the whole workflow
 * @input: checked by the workflow's input schema; copied
 *
 * Returns: 0, or negative errno: the session's cause and @err say why.
 */
int engine_run(Session *session, const Workflow *workflow, const cJSON *input, Error *err);

/** engine_run_sequence() - the steps of one list, in order. Returns: as engine_run() */
int engine_run_sequence(Engine *engine, const Step *steps, unsigned n, Error *err);

/** engine_event() - an event of the step that runs; @data_consume may be NULL. Returns: 0 or negative errno */
int engine_event(Engine *engine, const char *event, cJSON *data_consume);

/** engine_fail() - keep the first cause. Returns: @code */
int engine_fail(Engine *engine, Cause cause, int code);

/** engine_fill() - a template over what expressions see; CAUSE_EXPRESSION where it fails. Returns: as template_fill() */
int engine_fill(Engine *engine, const Template *template, char **ret_text, Error *err);

/** engine_test() - a condition over what expressions see; CAUSE_EXPRESSION where it fails */
int engine_test(Engine *engine, unsigned condition, bool *ret_holds, Error *err);

/** engine_call_failed() - the cause for a link_call() that did not succeed. Returns: a negative errno */
int engine_call_failed(Engine *engine, int r, const LinkAnswer *answer);

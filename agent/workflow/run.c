/*
 * run: input and state are made and checked, the steps walk, and `finally` comes last whatever the end is,
 * as long as there is a supervisor to do it with. How the steps ended is noted before finally begins, so
 * that a resumed run does not try them again. The time limit of a step that calls the workflow, and the end of the branch
 * in which it does, ended the steps; finally has the time that it needs.
 */
#include "agent/workflow/run.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/first-state.h"
#include "agent/workflow/walk.h"
#include "base/schema.h"

#define FINALLY "finally"
#define OUTPUTS "steps"

static int misfit(Engine *engine, const char *what, const SchemaFault *fault, Error *err) {
        (void) error_say(err, -EINVAL, "the %s of workflow %s does not fit: %s: %s", what,
                         engine->workflow->name, *fault->path ? fault->path : "the whole",
                         fault->text);
        return engine_fail(engine, CAUSE_WORKFLOW, -EINVAL);
}

static cJSON *new_data(const cJSON *input) {
        SCOPED(json_free) cJSON *data = cJSON_CreateObject();

        (void) json_add_consume(data, "input", cJSON_Duplicate(input, true));
        (void) json_add_consume(data, "state", cJSON_CreateObjectReference(NULL));
        (void) json_add_object(data, "steps");
        (void) json_add_number(data, "iteration", 0);
        (void) json_add_consume(data, "item", cJSON_CreateNull());
        if (!json_add_consume(data, "error", cJSON_CreateNull()))
                return NULL;
        return TAKE_PTR(data);
}

/* The defaults of the schema's properties, where no earlier life left a state. */
static int begin_state(Engine *engine, Error *err) {
        const cJSON *schema = engine->workflow->state;
        cJSON *state = engine_state(engine);
        SchemaFault fault = { 0 };

        if (!state || first_state_fill(schema, state) < 0)
                return engine_no_memory(engine, err);
        if (schema && schema_check(schema, state, &fault) < 0)
                return misfit(engine, "first state", &fault, err);
        return 0;
}

static int check_input(Engine *engine, const cJSON *input, Error *err) {
        SchemaFault fault = { 0 };

        if (!engine->workflow->input || schema_check(engine->workflow->input, input, &fault) == 0)
                return 0;
        return misfit(engine, "input", &fault, err);
}

/* ---- finally ------------------------------------------------------------------------------------- */

static bool may_still_act(const Engine *engine) {
        return engine->cause != CAUSE_SUPERVISOR_LOST && engine->cause != CAUSE_INTERNAL;
}

static cJSON *failure_of(const Engine *engine, int r, const Error *err) {
        cJSON *failure = cJSON_CreateObject();

        if (r >= 0)
                return failure;
        (void) json_add_text(failure, "cause", cause_name(engine->cause));
        session_text(failure, "text", err ? err->text : "");
        return failure;
}

/*
 * How the steps ended, and after a failure what they had given until then: a resumed run does not walk over them. An
 * output of a step may be larger than what a note holds; then finally sees none in a later life. A branch that was ended
 * beside another is not noted: in the next life it need not be ended.
 */
static int note_end(Engine *engine, const cJSON *failure) {
        SCOPED(json_free) cJSON *note = cJSON_Duplicate(failure, true);
        int r;

        if (engine->cause == CAUSE_ENDED)
                return 0;
        if (json_get(failure, "cause"))
                (void) json_add_consume(note, OUTPUTS,
                                        cJSON_Duplicate(json_get(engine->data, "steps"), true));
        r = engine_note(engine, FINALLY, note, NULL);
        return r == -E2BIG ? engine_note(engine, FINALLY, failure, NULL) : r;
}

/* How the steps ended in an earlier life: 1 where that is not known. */
static int noted_end(Engine *engine, cJSON **ret_failure, Error *err) {
        SCOPED(json_free) cJSON *noted = engine_noted(engine, FINALLY);
        const char *cause = json_text(noted, "cause"), *text = json_text(noted, "text");
        cJSON *outputs = cJSON_DetachItemFromObjectCaseSensitive(noted, OUTPUTS);

        if (outputs) {
                cJSON_DeleteItemFromObjectCaseSensitive(engine->data, "steps");
                (void) json_add_consume(engine->data, "steps", outputs);
        }
        if (!noted)
                return 1;
        *ret_failure = TAKE_PTR(noted);
        if (!cause)
                return 0;
        (void) error_say(err, -ECANCELED, "%s", text ? text : "");
        return engine_fail(engine, cause_find(cause), -ECANCELED);
}

/* The steps of finally cannot make a failed run good; where they fail themselves, a good run has failed. */
static int run_finally(Engine *engine, int r, cJSON *failure_consume, Error *err) {
        const Workflow *workflow = engine->workflow;
        Cause cause = engine->cause;
        Error late = ERROR_EMPTY;
        size_t n = strlen(engine->path);
        int last;

        if (r < 0) {
                cJSON_DeleteItemFromObjectCaseSensitive(engine->data, "error");
                (void) json_add_consume(engine->data, "error", failure_consume);
        } else {
                json_free(failure_consume);
        }
        engine->cause = CAUSE_NONE;
        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "%s" FINALLY, n ? "/" : "");
        last = walk_sequence(engine, workflow->finally, workflow->n_finally, &late);
        engine->path[n] = '\0';
        if (r < 0) {
                engine->cause = cause;
                return r;
        }
        if (last < 0 && err)
                *err = late;
        return last;
}

static int end_well(Engine *engine, int r, Error *err) {
        cJSON *failure = failure_of(engine, r, err);
        int noted = note_end(engine, failure);

        if (noted >= 0)
                return run_finally(engine, r, failure, err);
        json_free(failure);
        return r < 0 ? r : noted;
}

/* With all the time that it needs, and to its end. */
static int run_last(Engine *engine, int r, cJSON *noted_consume, Error *err) {
        Loop *loop = engine->session->loop;
        uint64_t limit = loop_limit(loop, UINT64_MAX);
        bool spared = loop_spare(loop, true);

        r = noted_consume ? run_finally(engine, r, noted_consume, err) : end_well(engine, r, err);
        (void) loop_spare(loop, spared);
        (void) loop_limit(loop, limit);
        return r;
}

static int run_all(Engine *engine, Error *err) {
        const Workflow *workflow = engine->workflow;
        cJSON *failure = NULL;
        int r = 1;

        if (workflow->n_finally > 0)
                r = noted_end(engine, &failure, err);
        if (r >= 0) /* also where they are done, since their outputs are wanted */
                r = walk_sequence(engine, workflow->steps, workflow->n_steps, err);
        if (!failure && (workflow->n_finally == 0 || !may_still_act(engine)))
                return r;
        return run_last(engine, r, failure, err);
}

/* ---- the two ways to run a workflow -------------------------------------------------------------- */

static int run_engine(Engine *engine, const cJSON *input, Error *err) {
        int r = check_input(engine, input, err);

        if (r >= 0)
                r = begin_state(engine, err);
        return r < 0 ? r : run_all(engine, err);
}

int run_called(Engine *outer, const Workflow *workflow, const cJSON *input, cJSON **ret_output,
               Error *err) {
        SCOPED(json_free) cJSON *data = new_data(input);
        Engine engine = *outer;
        const cJSON *output;
        int r;

        if (!data)
                return engine_no_memory(outer, err);
        engine.workflow = workflow;
        engine.data = data;
        engine.base = strlen(outer->path);
        engine.iteration = engine.of = 0;
        r = run_engine(&engine, input, err);
        if (r < 0)
                return engine_fail(outer, engine.cause, r);
        output = engine_output(&engine, workflow->steps[workflow->n_steps - 1].id);
        *ret_output = output ? cJSON_Duplicate(output, true) : cJSON_CreateNull();
        return *ret_output ? 0 : engine_no_memory(outer, err);
}

/* What an earlier life of the run left. */
static int take_up(Run *run, Session *session) {
        const cJSON *states = journal_state(run->journal);
        const cJSON *calls = json_get(journal_memory(run->journal), "calls");

        run->states = cJSON_IsObject(states) ? cJSON_Duplicate(states, true) : cJSON_CreateObject();
        for (unsigned i = 0; i < session->roles.n; i++) {
                uint64_t n = 0;

                (void) json_number(calls, session->roles.items[i]->name, &n);
                session->calls[i] = session->calls_committed[i] = (unsigned) n;
        }
        return run->states ? 0 : -ENOMEM;
}

int run_task(Session *session, const Workflow *workflow, const cJSON *input, cJSON *journal_consume,
             Error *err) {
        SCOPED(json_free) cJSON *data = new_data(input);
        SCOPED(journal_free) Journal *journal = NULL;
        Run run = { .session = session, .live = 1 };
        Engine engine = { .session = session, .run = &run, .workflow = workflow, .data = data };
        int r;

        r = journal_new_consume(journal_consume, &journal);
        run.journal = journal;
        if (r < 0 || !data || take_up(&run, session) < 0) {
                json_free(run.states);
                (void) error_set(err, r < 0 ? r : -ENOMEM, "start workflow %s", workflow->name);
                return session_fail(session, CAUSE_INTERNAL, -ENOMEM);
        }
        r = run_engine(&engine, input, err);
        json_free(run.states);
        json_free(run.kept);
        return r < 0 ? session_fail(session, engine.cause, r) : 0;
}

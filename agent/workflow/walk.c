/*
 * walk: a step, from its first event to its commit.
 *
 *   committed before? take the output, else
 *   step.start → tries (run, output against schema, state, requirement) → checkpoint → step.end
 *
 * That a step is done is told when its commit is on disk, so that whoever hears it can build on it.
 *
 * A step's output lands in data.steps under its id; ids are unique in a workflow, so that an expression
 * needs no path. In a loop the newest iteration's output stands there.
 *
 * What a step of KIND_SHOWS commits is {"output", "steps"}: with its commit those below it go, and their
 * outputs are still to be seen.
 */
#include "agent/workflow/walk.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/call-step.h"
#include "agent/workflow/kinds.h"
#include "base/schema.h"
#include "base/units.h"

#define RETRY_WAIT_DOUBLINGS 10

/* ---- paths --------------------------------------------------------------------------------------- */

/* From the path of what holds @step, of @outer bytes, to that of its instance, and back. */
static void enter(Engine *engine, size_t outer, const Step *step) {
        (void) snprintf(engine->path + outer, sizeof(engine->path) - outer, "%s%s",
                        outer ? "/" : "", step->id);
}

static size_t leave(Engine *engine, const Step *step) {
        size_t outer = strlen(engine->path) - strlen(step->id);

        outer -= outer > 0;
        engine->path[outer] = '\0';
        return outer;
}

/* ---- outputs ------------------------------------------------------------------------------------- */

static int check_output(Engine *engine, const Step *step, const cJSON *output, Error *err) {
        SchemaFault fault = { 0 };

        if (!step->output || schema_check(step->output, output, &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL, "the output of step %s does not fit its schema: %s: %s",
                         engine->path, *fault.path ? fault.path : "the whole", fault.text);
        return engine_fail(engine, CAUSE_OUTPUT, -EINVAL);
}

static int store(Engine *engine, const char *id, cJSON *output_consume, Error *err) {
        cJSON *steps = json_get(engine->data, "steps");

        cJSON_DeleteItemFromObjectCaseSensitive(steps, id);
        if (json_add_consume(steps, id, output_consume))
                return 0;
        return engine_no_memory(engine, err);
}

static int check_state(Engine *engine, Error *err) {
        SchemaFault fault = { 0 };

        if (!engine->workflow->state ||
            schema_check(engine->workflow->state, engine_state(engine), &fault) == 0)
                return 0;
        (void) error_say(err, -EINVAL,
                         "the state that step %s sets does not fit its schema: %s: %s",
                         engine->path, *fault.path ? fault.path : "the whole", fault.text);
        return engine_fail(engine, CAUSE_OUTPUT, -EINVAL);
}

/* Each sees what those before it have set. */
static int make_sets(Engine *engine, const Step *step, cJSON *state, Error *err) {
        for (unsigned i = 0; i < step->n_sets; i++) {
                cJSON *value = NULL;
                int r = engine_eval(engine, step->sets[i].expression, &value, err);

                if (r < 0)
                        return r;
                cJSON_DeleteItemFromObjectCaseSensitive(state, step->sets[i].name);
                if (!json_add_consume(state, step->sets[i].name, value))
                        return engine_no_memory(engine, err);
        }
        return check_state(engine, err);
}

/* All of them or none: a failed try leaves nothing that the next one, in this life or another, would see. */
static int set_state(Engine *engine, const Step *step, Error *err) {
        cJSON *state = engine_state(engine), *made;
        SCOPED(json_free) cJSON *before = NULL;
        int r;

        if (step->n_sets == 0)
                return 0;
        before = cJSON_Duplicate(state, true);
        if (!before)
                return engine_no_memory(engine, err);
        r = make_sets(engine, step, state, err);
        engine->run->state_changed |= r >= 0;
        if (r >= 0)
                return 0;
        made = state->child;
        state->child = before->child;
        before->child = made;
        return r;
}

static int check_requirement(Engine *engine, const Step *step, Error *err) {
        bool holds = false;
        int r;

        if (step->require == EXPRESSION_NONE)
                return 0;
        r = engine_test(engine, step->require, &holds, err);
        if (r < 0 || holds)
                return r;
        (void) error_say(err, -ECANCELED, "step %s requires `%.200s`, which does not hold",
                         engine->path, json_text(step->json, "require"));
        return engine_fail(engine, CAUSE_REQUIREMENT, -ECANCELED);
}

/* ---- one try ------------------------------------------------------------------------------------- */

static int run_body(Engine *engine, const Step *step, Error *err) {
        SCOPED(json_free) cJSON *output = NULL;
        int r;

        r = step->kind->run(engine, step, &output, err);
        if (r >= 0)
                r = check_output(engine, step, output, err);
        if (r >= 0)
                r = store(engine, step->id, TAKE_PTR(output), err);
        if (r >= 0)
                r = check_requirement(engine, step, err);
        return r < 0 ? r : set_state(engine, step, err);
}

/* Within the step's time limit, which ends whatever it waits for. */
static int run_try(Engine *engine, const Step *step, Error *err) {
        Loop *loop = engine->session->loop;
        uint64_t outer, own;
        char limit[UNITS_TEXT_MAX];
        int r;

        if (step->timeout_usec == 0 || step->kind->own_timeout)
                return run_body(engine, step, err);
        own = units_monotonic() + step->timeout_usec;
        outer = loop_limit(loop, own);
        (void) loop_limit(loop, own < outer ? own : outer);
        r = run_body(engine, step, err);
        (void) loop_limit(loop, outer);
        if (r >= 0 || own >= outer || units_monotonic() < own)
                return r;
        engine->cause = CAUSE_STEP_TIMEOUT;
        return error_say(err, -ETIMEDOUT, "step %s: its time limit of %s has passed", engine->path,
                         units_format_duration(step->timeout_usec, limit));
}

/* ---- tries --------------------------------------------------------------------------------------- */

/* A failure that another try cannot mend, or that is not the step's. */
static bool is_final(const Engine *engine) {
        static const Cause finals[] = {
                CAUSE_LIMIT,       CAUSE_SUPERVISOR_LOST, CAUSE_INTERNAL,        CAUSE_ENDED,
                CAUSE_GIVEN_UP,    CAUSE_EXPRESSION,      CAUSE_REPLAY_MISMATCH, CAUSE_SAME_CALL,
                CAUSE_ALTERNATING, CAUSE_NO_EDIT,         CAUSE_CLAIMS,          CAUSE_REJECTED
        };

        for (unsigned i = 0; i < ELEMENTS(finals); i++)
                if (engine->cause == finals[i])
                        return true;
        return engine->run->torn || loop_left(engine->session->loop) == 0;
}

static int say_retry(Engine *engine, const Step *step, unsigned number, uint64_t wait,
                     const Error *err) {
        cJSON *data = cJSON_CreateObject();
        char text[ERROR_TEXT_MAX + 128], shown[UNITS_TEXT_MAX];

        (void) snprintf(text, sizeof(text), "%s; try %u of %u in %s", err ? err->text : "it failed",
                        number + 1, step->retries + 1, units_format_duration(wait, shown));
        session_text(data, "text", text);
        return engine_event(engine, "notice", data);
}

/* Note that try @number is next, so that a resumed run counts on, and wait. */
static int prepare_retry(Engine *engine, const Step *step, unsigned number, Error *err) {
        unsigned doublings = number - 1 < RETRY_WAIT_DOUBLINGS ? number - 1 : RETRY_WAIT_DOUBLINGS;
        uint64_t wait = step->retry_wait_usec << doublings;
        SCOPED(json_free) cJSON *count = cJSON_CreateNumber(number);
        int r;

        r = say_retry(engine, step, number, wait, err);
        if (r < 0)
                return r;
        engine->cause = CAUSE_NONE;
        if (err)
                *err = ERROR_EMPTY;
        r = engine_note(engine, "try", count, err);
        if (r < 0 || wait == 0)
                return r;
        r = loop_sleep(engine->session->loop, wait, err);
        return r < 0 ? engine_fail(engine, engine_wait_cause(r), r) : 0;
}

/*
 * What lies below a further try has paths of its own: what the failed one committed is not taken for it, in this
 * life or the next.
 */
static int run_numbered(Engine *engine, const Step *step, unsigned number, Error *err) {
        size_t n = strlen(engine->path);
        int r;

        if (number > 0 && !step->kind->goes_on && (step->n_steps > 0 || call_step_called(step)))
                (void) snprintf(engine->path + n, sizeof(engine->path) - n, "/~%u", number);
        r = run_try(engine, step, err);
        engine->path[n] = '\0';
        return r;
}

static cJSON *add_inner(const Engine *engine, const Step *steps, unsigned n, cJSON *to) {
        for (unsigned i = 0; i < n && to; i++) {
                const cJSON *output = engine_output(engine, steps[i].id);

                if (output && !json_add_consume(to, steps[i].id, cJSON_Duplicate(output, true)))
                        return NULL;
                if (steps[i].kind->scope == KIND_SHOWS &&
                    !add_inner(engine, steps[i].steps, steps[i].n_steps, to))
                        return NULL;
        }
        return to;
}

/* What expressions see of the step and of those in it, before its first try. */
static cJSON *outputs_before(const Engine *engine, const Step *step) {
        SCOPED(json_free) cJSON *before = cJSON_CreateObject();
        const cJSON *output = engine_output(engine, step->id);

        if (output && !json_add_consume(before, step->id, cJSON_Duplicate(output, true)))
                return NULL;
        return add_inner(engine, step->steps, step->n_steps, before) ? TAKE_PTR(before) : NULL;
}

static void forget(Engine *engine, const Step *steps, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                cJSON_DeleteItemFromObjectCaseSensitive(json_get(engine->data, "steps"),
                                                        steps[i].id);
                if (steps[i].kind->scope == KIND_SHOWS)
                        forget(engine, steps[i].steps, steps[i].n_steps);
        }
}

/* The next try sees none of what the failed one gave: in another life it could not, since that was not committed. */
static int take_back(Engine *engine, const Step *step, const cJSON *before, Error *err) {
        const cJSON *output;
        int r = 0;

        forget(engine, step, 1);
        cJSON_ArrayForEach(output, before) {
                if (r >= 0)
                        r = store(engine, output->string, cJSON_Duplicate(output, true), err);
        }
        return r;
}

static int run_tries(Engine *engine, const Step *step, Error *err) {
        SCOPED(json_free) cJSON *noted = step->retries > 0 ? engine_noted(engine, "try") : NULL;
        SCOPED(json_free)
        cJSON *before = step->retries > 0 ? outputs_before(engine, step) : NULL;
        unsigned number = noted && cJSON_IsNumber(noted) && noted->valueint > 0
                                  ? (unsigned) noted->valueint
                                  : 0;
        int r;

        for (;; number++) {
                r = run_numbered(engine, step, number, err);
                if (r >= 0 || number >= step->retries || is_final(engine))
                        return r;
                r = prepare_retry(engine, step, number + 1, err);
                if (r >= 0)
                        r = take_back(engine, step, before, err);
                if (r < 0)
                        return r;
        }
}

/* ---- effects outside ----------------------------------------------------------------------------- */

static const char outside_question[] = "This step has effects outside of the jail. It had begun "
                                       "when the run was interrupted, and it is not "
                                       "known whether they took place.";

/*
 * How often people had it repeated. The note stands beside the instance: below it, the next begin would take it
 * away.
 */
static cJSON *noted_repeats(Engine *engine, const Step *step, const char *name) {
        size_t outer = leave(engine, step);
        cJSON *noted = engine_noted(engine, name);

        enter(engine, outer, step);
        return noted;
}

static int note_repeats(Engine *engine, const Step *step, const char *name, unsigned n,
                        Error *err) {
        SCOPED(json_free) cJSON *number = cJSON_CreateNumber(n);
        size_t outer = leave(engine, step);
        int r = number ? engine_note(engine, name, number, err) : engine_no_memory(engine, err);

        enter(engine, outer, step);
        return r;
}

/*
 * Was the step interrupted amid its effects? Then a person decides; nothing is repeated silently. What was
 * asked in the same words has its answer already: each interruption has words of its own.
 * *ret_skip: it is taken as done.
 */
static int ask_repeat(Engine *engine, const Step *step, bool *ret_skip, Error *err) {
        static const char *const choices[] = { "repeat", "skip", "give up" };
        SCOPED(json_free) cJSON *answer = NULL, *noted = NULL;
        cJSON *question = cJSON_CreateObject(), *list;
        char name[96], text[sizeof(outside_question) + 64];
        const char *choice;
        unsigned n;
        int r;

        (void) snprintf(name, sizeof(name), "repeat-%s", step->id);
        noted = noted_repeats(engine, step, name);
        n = noted && cJSON_IsNumber(noted) && noted->valueint > 0 ? (unsigned) noted->valueint : 0;
        if (n > 0)
                (void) snprintf(text, sizeof(text), "%s It was repeated %u times already.",
                                outside_question, n);
        (void) json_add_text(question, "text", n > 0 ? text : outside_question);
        list = json_add_array(question, "choices");
        for (unsigned i = 0; i < ELEMENTS(choices); i++)
                (void) json_push_text(list, choices[i]);
        r = engine_suspend(engine, question, &answer, err);
        if (r < 0)
                return r;
        choice = json_text(answer, "answer");
        *ret_skip = choice && strcmp(choice, "skip") == 0;
        if (*ret_skip)
                return 0;
        if (choice && strcmp(choice, "repeat") == 0)
                return note_repeats(engine, step, name, n + 1, err);
        (void) error_say(err, -ECANCELED, "step %s was interrupted and a person gave it up",
                         engine->path);
        return engine_fail(engine, CAUSE_GIVEN_UP, -ECANCELED);
}

static int run_guarded(Engine *engine, const Step *step, Error *err) {
        cJSON *skipped;
        bool skip = false;
        int r = 0;

        if (!step->outside)
                return run_tries(engine, step, err);
        if (journal_is_begun(engine->run->journal, engine->path))
                r = ask_repeat(engine, step, &skip, err);
        if (r >= 0 && !skip)
                r = engine_begin_effect(engine, err);
        if (r < 0 || !skip)
                return r < 0 ? r : run_tries(engine, step, err);
        skipped = cJSON_CreateObject();
        (void) json_add_bool(skipped, "skipped", true);
        return store(engine, step->id, skipped, err);
}

/* ---- commits ------------------------------------------------------------------------------------- */

cJSON *walk_pack(const Engine *engine, const Step *step, const cJSON *output) {
        SCOPED(json_free) cJSON *packed = cJSON_CreateObject();

        (void) json_add_consume(packed, "output", cJSON_Duplicate(output, true));
        if (!add_inner(engine, step->steps, step->n_steps, json_add_object(packed, "steps")))
                return NULL;
        return TAKE_PTR(packed);
}

int walk_unpack(Engine *engine, cJSON *packed, cJSON **ret_output, Error *err) {
        cJSON *steps = json_get(packed, "steps");

        while (steps && steps->child) {
                autofree char *id = strdup(steps->child->string);
                int r = id ? store(engine, id, cJSON_DetachItemViaPointer(steps, steps->child), err)
                           : engine_no_memory(engine, err);

                if (r < 0)
                        return r;
        }
        *ret_output = cJSON_DetachItemFromObjectCaseSensitive(packed, "output");
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

static int commit(Engine *engine, const Step *step, Error *err) {
        const cJSON *output = engine_output(engine, step->id);
        SCOPED(json_free) cJSON *packed = NULL;

        if (step->kind->scope != KIND_SHOWS)
                return engine_commit(engine, output, err);
        packed = walk_pack(engine, step, output);
        return packed ? engine_commit(engine, packed, err) : engine_no_memory(engine, err);
}

static int restore(Engine *engine, const Step *step, cJSON *committed_consume, Error *err) {
        SCOPED(json_free) cJSON *committed = committed_consume, *output = NULL;
        int r;

        if (step->kind->scope != KIND_SHOWS)
                return store(engine, step->id, TAKE_PTR(committed), err);
        r = walk_unpack(engine, committed, &output, err);
        return r < 0 ? r : store(engine, step->id, TAKE_PTR(output), err);
}

/* ---- steps --------------------------------------------------------------------------------------- */

static cJSON *start_data(const Step *step) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_text(data, "kind", step->kind->key);
        if (step->role)
                (void) json_add_text(data, "role", step->role->name);
        return data;
}

static cJSON *end_data(const Step *step, int r, uint64_t wall_usec, const Error *err) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_text(data, "kind", step->kind->key);
        (void) json_add_text(data, "state", r < 0 ? "failed" : "done");
        (void) json_add_number(data, "wall_usec", wall_usec);
        if (r < 0 && err)
                session_text(data, "error", err->text);
        return data;
}

static int run_fresh(Engine *engine, const Step *step, Error *err) {
        uint64_t started = units_monotonic(), wall;
        int r, sent;

        r = engine_event(engine, "step.start", start_data(step));
        if (r >= 0)
                r = run_guarded(engine, step, err);
        wall = units_monotonic() - started;
        if (r >= 0)
                r = commit(engine, step, err);
        sent = engine_event(engine, "step.end", end_data(step, r, wall, err));
        return r < 0 ? r : sent;
}

static int run_step(Engine *engine, const Step *step, Error *err) {
        size_t outer = strlen(engine->path);
        cJSON *committed;
        int r;

        enter(engine, outer, step);
        committed = journal_take(engine->run->journal, engine->path);
        r = committed ? restore(engine, step, committed, err) : run_fresh(engine, step, err);
        engine->path[outer] = '\0';
        return r;
}

int walk_sequence(Engine *engine, const Step *steps, unsigned n, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = run_step(engine, &steps[i], err);
        return r;
}

/*
 * race-step: see race-step.h. The winner's work lies in the workspace when its note is kept, that it has won: both come
 * to the disk together, before another fork, whose own steps may be about to commit, has the turn. A race that is
 * interrupted before that is run again from the start, in fresh forks; one that is interrupted after it has its winner.
 */
#include "agent/workflow/race-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/branches.h"
#include "agent/workflow/laying.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/walk.h"
#include "agent/workflow/workspace.h"

#define NOBODY UINT32_MAX
#define WON    "won" /* the note: what the race gives */

typedef struct Race {
        const Step *step;
        uint64_t forks[RACE_FORKS_MAX];
        unsigned life;
        uint32_t winner; /* NOBODY: not yet */
        cJSON *output;   /* owned: of the winner */
        Error last;      /* why the last one that is out is out */
} Race;

int race_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        static const unsigned forks[] = { 2, RACE_FORKS_MAX };
        static const unsigned at_once[] = { 1, RACE_FORKS_MAX };
        char inner[WORKFLOW_PATH_MAX];
        int r = loader_count(json, "race", path, forks, &step->max_iterations, err);

        step->concurrency = RACE_FORKS_MAX;
        if (r >= 0)
                r = loader_count(json, "concurrency", path, at_once, &step->concurrency, err);
        if (r < 0)
                return r;
        (void) snprintf(inner, sizeof(inner), "%s/steps", path);
        r = loader_forked(loader, json_get(json, "steps"), inner, step, err);
        if (r >= 0)
                r = loader_expression(loader, json, "wins", path, err);
        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        return 0;
}

/* ---- one fork ------------------------------------------------------------------------------------ */

/* A failure that is not this fork's alone. */
static bool ends_all(const Engine *engine) {
        static const Cause causes[] = {
                CAUSE_LIMIT,    CAUSE_SUPERVISOR_LOST, CAUSE_ENDED,
                CAUSE_INTERNAL, CAUSE_GIVEN_UP,        CAUSE_REPLAY_MISMATCH
        };

        for (unsigned i = 0; i < ELEMENTS(causes); i++)
                if (engine->cause == causes[i])
                        return true;
        return loop_left(engine->session->loop) == 0;
}

static int fall_out(Engine *engine, Race *race, const Error *why) {
        cJSON *data = cJSON_CreateObject();

        if (why)
                race->last = *why;
        session_text(data, "text", why ? why->text : "a fork of the race is out");
        engine->cause = CAUSE_NONE;
        return engine_event(engine, "notice", data);
}

static int walk(Engine *engine, const Race *race, unsigned index, Error *err) {
        const Step *step = race->step;
        size_t n = strlen(engine->path);
        int r;

        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "[%u]/~%u", index, race->life);
        r = walk_sequence(engine, step->steps, step->n_steps, err);
        engine->path[n] = '\0';
        return r;
}

/* Once it lies in the workspace it is noted, whatever time has passed */
static int lay_and_note(Engine *engine, Race *race, unsigned index, const Merging *merging,
                        Error *err) {
        bool outer = loop_shield(engine->session->loop, true);
        int r = laying_lay(engine, merging, 0, err);

        if (r >= 0) {
                workspace_end(engine, &race->forks[index]);
                r = engine_note(engine, WON, race->output, err);
        }
        (void) loop_shield(engine->session->loop, outer);
        return r;
}

/* Alone at the workspace; somebody may have won meanwhile. */
static int win(Engine *engine, Race *race, unsigned index, Error *err) {
        SCOPED(merging_deinit) Merging merging = MERGING_EMPTY;
        const Step *step = race->step;
        const cJSON *last = engine_output(engine, step->steps[step->n_steps - 1].id);
        int r;

        if (race->winner != NOBODY)
                return 0;
        r = workspace_merge(engine, race->forks[index], &merging, err);
        if (r < 0)
                return r;
        if (merging.conflicting > 0) {
                (void) error_say(err, -ECANCELED,
                                 "the winner of %s conflicts with what was done beside the race",
                                 engine->path);
                return engine_fail(engine, CAUSE_CONFLICT, -ECANCELED);
        }
        race->output = json_free(race->output);
        race->output = cJSON_CreateObject();
        (void) json_add_number(race->output, "winner", index);
        if (!json_add_consume(race->output, "result", cJSON_Duplicate(last, true)))
                return engine_no_memory(engine, err);
        r = lay_and_note(engine, race, index, &merging, err);
        if (r < 0)
                return r;
        race->winner = index;
        return BRANCH_E_ENOUGH;
}

/* Its steps, what its condition says, and where it wins its work. */
static int compete(Engine *engine, Race *race, unsigned index, Error *err) {
        bool won = false;
        int r = walk(engine, race, index, err);

        if (r >= 0)
                r = engine_test(engine, race->step->condition, &won, err);
        if (r < 0)
                return ends_all(engine) ? r : fall_out(engine, race, err);
        if (!won)
                return 0;
        r = workspace_take(engine, err);
        if (r < 0)
                return r;
        r = win(engine, race, index, err);
        workspace_leave(engine);
        return r;
}

/* Whatever its end is, nothing of the fork is needed any more. */
static int run_fork(Engine *engine, unsigned index, void *userdata, Error *err) {
        SCOPED(json_free) cJSON *number = cJSON_CreateNumber(index);
        Race *race = userdata;
        int r;

        if (!number || engine_set_item(engine, number) < 0)
                return engine_no_memory(engine, err);
        engine_set_iteration(engine, index + 1, race->step->max_iterations);
        r = workspace_begin(engine, &race->forks[index], err);
        if (r < 0)
                return r;
        r = compete(engine, race, index, err);
        workspace_end(engine, &race->forks[index]);
        return r;
}

/* ---- all of them --------------------------------------------------------------------------------- */

static int nobody_won(Engine *engine, const Race *race, Error *err) {
        (void) error_say(err, -ECANCELED, "step %s: none of its %u forks won%s%.300s", engine->path,
                         race->step->max_iterations, race->last.code ? "; the last: " : "",
                         race->last.code ? race->last.text : "");
        return engine_fail(engine, CAUSE_NO_WINNER, -ECANCELED);
}

int race_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        Race race = { .step = step, .winner = NOBODY, .last = ERROR_EMPTY };
        const Branches branches = { .n = step->max_iterations,
                                    .concurrency = step->concurrency,
                                    .run = run_fork,
                                    .userdata = &race };
        int r;

        if (engine->fork > 0)
                return workspace_nested(engine, err);
        *ret_output = engine_noted(engine, WON);
        if (*ret_output)
                return 0;
        r = workspace_life(engine, &race.life, err);
        if (r >= 0)
                r = branches_run(engine, &branches, err);
        if (r >= 0 && race.winner == NOBODY)
                r = nobody_won(engine, &race, err);
        if (r >= 0)
                *ret_output = TAKE_PTR(race.output);
        json_free(race.output);
        return r < 0 ? r : 0;
}

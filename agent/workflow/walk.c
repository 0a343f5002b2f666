/*
 * walk: a step, from its first event to its commit.
 *
 *   committed before? take the output, else
 *   step.start → tries (tries.h) → checkpoint → step.end
 *
 * That a step is done is told when its commit is on disk, so that whoever hears it can build on it.
 *
 * What a step of KIND_SHOWS commits is {"output", "steps"}: with its commit those below it go, and their
 * outputs are still to be seen.
 */
#include "agent/workflow/walk.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/outputs.h"
#include "agent/workflow/repeat.h"
#include "agent/workflow/tries.h"
#include "base/units.h"

static int commit(Engine *engine, const Step *step, Error *err) {
        const cJSON *output = engine_output(engine, step->id);
        SCOPED(json_free) cJSON *packed = NULL;

        if (step->kind->scope != KIND_SHOWS)
                return engine_commit(engine, output, err);
        packed = outputs_pack(engine, step, output);
        return packed ? engine_commit(engine, packed, err) : engine_no_memory(engine, err);
}

static int restore(Engine *engine, const Step *step, cJSON *committed_consume, Error *err) {
        SCOPED(json_free) cJSON *committed = committed_consume, *output = NULL;
        int r;

        if (step->kind->scope != KIND_SHOWS)
                return outputs_store(engine, step->id, TAKE_PTR(committed), err);
        r = outputs_unpack(engine, committed, &output, err);
        return r < 0 ? r : outputs_store(engine, step->id, TAKE_PTR(output), err);
}

static int run_guarded(Engine *engine, const Step *step, Error *err) {
        cJSON *skipped;
        bool skip = false;
        int r = 0;

        if (!step->outside)
                return tries_run(engine, step, err);
        if (journal_is_begun(engine->run->journal, engine->path))
                r = repeat_ask(engine, step, &skip, err);
        if (r >= 0 && !skip)
                r = engine_begin_effect(engine, err);
        if (r < 0 || !skip)
                return r < 0 ? r : tries_run(engine, step, err);
        skipped = cJSON_CreateObject();
        (void) json_add_bool(skipped, "skipped", true);
        return outputs_store(engine, step->id, skipped, err);
}

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

        (void) snprintf(engine->path + outer, sizeof(engine->path) - outer, "%s%s",
                        outer ? "/" : "", step->id);
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

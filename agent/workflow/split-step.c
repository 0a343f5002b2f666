/*
 * split-step: see split-step.h.
 *
 *   fork -> steps -> merge -> clean: lay it into the workspace, commit
 *                          -> conflicts: a fresh fork gets the marked-up merge -> resolve -> merge …
 *
 * An item commits once, when its work is in the workspace. Forks do not outlive the agent, so what an earlier life
 * of it did in one is not taken: the paths of inner steps name the life.
 *
 * A further try goes on with the items that have not committed, as a resumed run does: what the others did stands in
 * the workspace, and would be done twice. So it has the paths of the first (KIND's goes_on).
 */
#include "agent/workflow/split-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/branches.h"
#include "agent/workflow/laying.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/walk.h"
#include "agent/workflow/workspace.h"

enum { ARM_STEPS, ARM_RESOLVE };

typedef struct Part {    /* one item */
        uint64_t fork;   /* that it works in; 0: none (any more) */
        unsigned rounds; /* of conflicts */
        cJSON *output;   /* owned */
} Part;

typedef struct Split {
        const Step *step;
        cJSON *list; /* owned */
        Part *parts; /* owned */
        unsigned n;
        unsigned life;
} Split;

/* ---- loading ------------------------------------------------------------------------------------- */

static int load_arm(Loader *loader, const cJSON *json, const char *key, const char *path,
                    Step *step, Error *err) {
        char inner[WORKFLOW_PATH_MAX];
        unsigned first = step->n_steps;
        int r;

        (void) snprintf(inner, sizeof(inner), "%s/%s", path, key);
        r = loader_forked(loader, json_get(json, key), inner, step, err);
        return r < 0 ? r : loader_add_arm(step, first, EXPRESSION_NONE, err);
}

int split_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        static const unsigned at_once[] = { 1, BRANCHES_CONCURRENCY_MAX };
        static const unsigned items[] = { 1, SPLIT_ITEMS_MAX };
        static const unsigned rounds[] = { 1, SPLIT_CONFLICTS_MAX };
        int r = loader_expression(loader, json, "split", path, err);

        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        step->concurrency = BRANCHES_CONCURRENCY_MAX;
        step->max_iterations = SPLIT_ITEMS_DEFAULT;
        step->max_conflicts = json_get(json, "resolve") ? SPLIT_CONFLICTS_DEFAULT : 0;
        if (!json_get(json, "resolve") && json_get(json, "max_conflicts"))
                return workflow_fault(err, path, "max_conflicts",
                                      "there is no \"resolve\" that conflicts could go to");
        r = loader_count(json, "concurrency", path, at_once, &step->concurrency, err);
        if (r >= 0)
                r = loader_count(json, "max_items", path, items, &step->max_iterations, err);
        if (r >= 0)
                r = loader_count(json, "max_conflicts", path, rounds, &step->max_conflicts, err);
        if (r >= 0)
                r = load_arm(loader, json, "steps", path, step, err);
        return r < 0 || !json_get(json, "resolve")
                       ? r
                       : load_arm(loader, json, "resolve", path, step, err);
}

/* ---- one item ------------------------------------------------------------------------------------ */

/* The steps of an arm, at a path of this life and round. */
static int walk_arm(Engine *engine, const Split *split, unsigned arm, unsigned round, Error *err) {
        const StepArm *which = &split->step->arms[arm];
        size_t n = strlen(engine->path);
        int r;

        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "/~%u", split->life);
        if (arm == ARM_RESOLVE)
                (void) snprintf(engine->path + strlen(engine->path),
                                sizeof(engine->path) - strlen(engine->path), "/~%u", round);
        r = walk_sequence(engine, &split->step->steps[which->first], which->n, err);
        engine->path[n] = '\0';
        return r;
}

static int give_up(Engine *engine, const Merging *merging, Error *err) {
        const cJSON *first = cJSON_GetArrayItem(merging->conflicts, 0);
        const char *path = json_text(first, "path");

        (void) error_say(
                err, -ECANCELED,
                "sub-task %s: what it did does not go together with what others did; "
                "conflicts: %llu, the first in %.200s. Steps in \"resolve\" may mend such, up "
                "to \"max_conflicts\" times",
                engine->path, (unsigned long long) merging->conflicting, path ? path : "?");
        return engine_fail(engine, CAUSE_CONFLICT, -ECANCELED);
}

static int say_conflicts(Engine *engine, const Merging *merging, unsigned round) {
        cJSON *data = cJSON_CreateObject();
        char text[128];

        (void) snprintf(text, sizeof(text), "%llu conflicts go back to a worker, round %u",
                        (unsigned long long) merging->conflicting, round);
        (void) json_add_text(data, "text", text);
        (void) json_add_consume(data, "conflicts", cJSON_Duplicate(merging->conflicts, true));
        return engine_event(engine, "notice", data);
}

/* What the steps of "resolve" see as .item. */
static int set_conflicts(Engine *engine, const cJSON *item, const Merging *merging, Error *err) {
        SCOPED(json_free) cJSON *seen = cJSON_CreateObject();

        (void) json_add_consume(seen, "task", cJSON_Duplicate(item, true));
        if (!json_add_consume(seen, "conflicts", cJSON_Duplicate(merging->conflicts, true)) ||
            engine_set_item(engine, seen) < 0)
                return engine_no_memory(engine, err);
        return 0;
}

/* A fresh fork of what the workspace is now, with the merge and its marks in it, takes the old one's place. */
static int move(Engine *engine, Part *part, const Merging *merging, Error *err) {
        int r = workspace_again(engine, &part->fork, err);

        return r < 0 ? r : laying_lay(engine, merging, part->fork, err);
}

/* Let a worker mend it, until no file that was in conflict has marks left. */
static int resolve(Engine *engine, const Split *split, unsigned index, const Merging *merging,
                   Error *err) {
        Part *part = &split->parts[index];
        int r = set_conflicts(engine, cJSON_GetArrayItem(split->list, (int) index), merging, err);

        while (r >= 0) {
                if (part->rounds == split->step->max_conflicts)
                        return give_up(engine, merging, err);
                part->rounds++;
                r = say_conflicts(engine, merging, part->rounds);
                if (r >= 0)
                        r = walk_arm(engine, split, ARM_RESOLVE, part->rounds, err);
                if (r >= 0)
                        r = workspace_marked(engine, merging, part->fork, err);
                if (r == 0)
                        return 0;
        }
        return r;
}

/* What a further try is to find is kept by its path, in which @name is a note. */
static int keep(Engine *engine, const char *name, const cJSON *value, Error *err) {
        char path[ENGINE_PATH_MAX + 16];

        if (!engine->run->kept)
                engine->run->kept = cJSON_CreateObject();
        (void) snprintf(path, sizeof(path), "%s%s", engine->path, name);
        if (json_add_consume(engine->run->kept, path, cJSON_Duplicate(value, true)))
                return 0;
        return engine_no_memory(engine, err);
}

static cJSON *kept(Engine *engine, const char *name) {
        char path[ENGINE_PATH_MAX + 16];

        (void) snprintf(path, sizeof(path), "%s%s", engine->path, name);
        return cJSON_DetachItemFromObjectCaseSensitive(engine->run->kept, path);
}

static int commit(Engine *engine, const Split *split, Part *part, Error *err) {
        const StepArm *arm = &split->step->arms[ARM_STEPS];
        const cJSON *last = engine_output(engine, split->step->steps[arm->first + arm->n - 1].id);
        int r;

        part->output = cJSON_CreateObject();
        (void) json_add_consume(part->output, "result", cJSON_Duplicate(last, true));
        if (!json_add_number(part->output, "conflicts", part->rounds))
                return engine_no_memory(engine, err);
        r = engine_commit(engine, part->output, err);
        return r < 0 || split->step->retries == 0 ? r : keep(engine, "", part->output, err);
}

/* Once it lies in the workspace it commits, whatever time has passed */
static int lay_and_commit(Engine *engine, const Split *split, Part *part, const Merging *merging,
                          Error *err) {
        bool outer = loop_shield(engine->session->loop, true);
        int r = laying_lay(engine, merging, 0, err);

        if (r >= 0) {
                workspace_end(engine, &part->fork);
                r = commit(engine, split, part, err);
        }
        (void) loop_shield(engine->session->loop, outer);
        return r;
}

/* Alone at the workspace. Returns: 1 where there are conflicts, which lie in part->fork then; 0; negative errno */
static int merge_one(Engine *engine, const Split *split, Part *part, Merging *ret, Error *err) {
        int r = workspace_merge(engine, part->fork, ret, err);

        if (r < 0)
                return r;
        if (ret->conflicting == 0)
                return lay_and_commit(engine, split, part, ret, err);
        if (part->rounds == split->step->max_conflicts)
                return give_up(engine, ret, err);
        r = move(engine, part, ret, err);
        return r < 0 ? r : 1;
}

static int bring_back(Engine *engine, const Split *split, unsigned index, Error *err) {
        int r = 1;

        while (r > 0) {
                SCOPED(merging_deinit) Merging merging = MERGING_EMPTY;

                r = workspace_take(engine, err);
                if (r < 0)
                        return r;
                r = merge_one(engine, split, &split->parts[index], &merging, err);
                workspace_leave(engine);
                if (r > 0) {
                        int mended = resolve(engine, split, index, &merging, err);

                        if (mended < 0)
                                return mended;
                }
        }
        return r;
}

static int run_part(Engine *engine, unsigned index, void *userdata, Error *err) {
        Split *split = userdata;
        Part *part = &split->parts[index];
        size_t n = strlen(engine->path);
        int r;

        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "[%u]", index);
        part->output = journal_take(engine->run->journal, engine->path);
        if (!part->output)
                part->output = kept(engine, "");
        if (part->output && split->step->retries > 0)
                return keep(engine, "", part->output, err);
        if (part->output)
                return 0;
        if (engine_set_item(engine, cJSON_GetArrayItem(split->list, (int) index)) < 0)
                return engine_no_memory(engine, err);
        engine_set_iteration(engine, index + 1, split->n);
        r = workspace_begin(engine, &part->fork, err);
        if (r >= 0)
                r = walk_arm(engine, split, ARM_STEPS, 0, err);
        return r < 0 ? r : bring_back(engine, split, index, err);
}

/* ---- all of them --------------------------------------------------------------------------------- */

/* The list is noted before the first item, as a foreach's is; lives are counted. */
static int take_list(Engine *engine, const Step *step, Split *split, Error *err) {
        SCOPED(json_free) cJSON *number = NULL;
        int r;

        split->list = engine_noted(engine, "items");
        if (!split->list)
                split->list = kept(engine, "/=items");
        if (!split->list) {
                r = engine_eval(engine, step->condition, &split->list, err);
                if (r >= 0 && cJSON_IsArray(split->list))
                        r = engine_note(engine, "items", split->list, err);
                if (r < 0)
                        return r;
        }
        if (step->retries > 0 && (r = keep(engine, "/=items", split->list, err)) < 0)
                return r;
        if (!cJSON_IsArray(split->list)) {
                (void) error_say(err, -EINVAL, "step %s: `%.200s` is no list", engine->path,
                                 json_text(step->json, "split"));
                return engine_fail(engine, CAUSE_EXPRESSION, -EINVAL);
        }
        split->n = (unsigned) cJSON_GetArraySize(split->list);
        if (split->n > step->max_iterations) {
                (void) error_say(err, -ECANCELED,
                                 "step %s: the list has %u items, of at most %u (max_items)",
                                 engine->path, split->n, step->max_iterations);
                return engine_fail(engine, CAUSE_MAX_ITERATIONS, -ECANCELED);
        }
        return workspace_life(engine, &split->life, err);
}

static int collect(Engine *engine, const Split *split, cJSON **ret_output, Error *err) {
        SCOPED(json_free) cJSON *all = cJSON_CreateArray();

        for (unsigned i = 0; i < split->n; i++)
                if (!json_push_consume(all, TAKE_PTR(split->parts[i].output)))
                        return engine_no_memory(engine, err);
        *ret_output = TAKE_PTR(all);
        return 0;
}

static int run_parts(Engine *engine, Split *split, cJSON **ret_output, Error *err) {
        const Branches branches = { .n = split->n,
                                    .concurrency = split->step->concurrency,
                                    .run = run_part,
                                    .userdata = split };
        int r = branches_run(engine, &branches, err);

        return r < 0 ? r : collect(engine, split, ret_output, err);
}

int split_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        Split split = { .step = step };
        int r;

        if (engine->fork > 0)
                return workspace_nested(engine, err);
        r = take_list(engine, step, &split, err);
        if (r >= 0) {
                split.parts = calloc(split.n + 1, sizeof(*split.parts));
                r = split.parts ? run_parts(engine, &split, ret_output, err)
                                : engine_no_memory(engine, err);
        }
        for (unsigned i = 0; split.parts && i < split.n; i++) {
                workspace_end(engine, &split.parts[i].fork);
                json_free(split.parts[i].output);
        }
        free(split.parts);
        json_free(split.list);
        return r;
}

/*
 * foreach-step: an item is an instance of its own, "each[7]", that commits what its last step gave; with
 * that the commits of its inner steps go. What the inner steps give is seen inside of the item only.
 *
 * The list is noted before the first item: items that change the state do not change the list.
 */
#include "agent/workflow/foreach-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/branches.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/walk.h"

/* One foreach while it runs. */
typedef struct Items {
        const Step *step;
        cJSON **list;    /* owned array of borrowed items, so that finding one takes no walk */
        cJSON **outputs; /* owned, also the values */
        unsigned n;
} Items;

int foreach_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        static const unsigned at_once[] = { 1, BRANCHES_CONCURRENCY_MAX };
        static const unsigned items[] = { 1, FOREACH_ITEMS_MAX };
        char inner[WORKFLOW_PATH_MAX];
        int r;

        r = loader_expression(loader, json, "foreach", path, err);
        if (r < 0)
                return r;
        step->condition = (unsigned) r;
        step->concurrency = 1;
        step->max_iterations = FOREACH_ITEMS_DEFAULT;
        r = loader_count(json, "concurrency", path, at_once, &step->concurrency, err);
        if (r >= 0)
                r = loader_count(json, "max_items", path, items, &step->max_iterations, err);
        if (r < 0)
                return r;
        (void) snprintf(inner, sizeof(inner), "%s/steps", path);
        return loader_sequence(loader, json_get(json, "steps"), inner, step, err);
}

/* ---- one item ------------------------------------------------------------------------------------ */

static int run_fresh(Engine *engine, const Items *items, unsigned index, Error *err) {
        const Step *step = items->step;
        const cJSON *output;
        int r;

        if (engine_set_item(engine, items->list[index]) < 0)
                return engine_no_memory(engine, err);
        engine_set_iteration(engine, index + 1, items->n);
        r = walk_sequence(engine, step->steps, step->n_steps, err);
        if (r < 0)
                return r;
        output = engine_output(engine, step->steps[step->n_steps - 1].id);
        items->outputs[index] = cJSON_Duplicate(output, true);
        if (!items->outputs[index])
                return engine_no_memory(engine, err);
        return engine_commit(engine, output, err);
}

static int run_item(Engine *engine, unsigned index, void *userdata, Error *err) {
        Items *items = userdata;
        size_t n = strlen(engine->path);

        (void) snprintf(engine->path + n, sizeof(engine->path) - n, "[%u]", index);
        items->outputs[index] = journal_take(engine->run->journal, engine->path);
        return items->outputs[index] ? 0 : run_fresh(engine, items, index, err);
}

/* ---- all of them --------------------------------------------------------------------------------- */

static int take_list(Engine *engine, const Step *step, cJSON **ret_list, Error *err) {
        SCOPED(json_free) cJSON *list = engine_noted(engine, "items");
        int r;

        if (!list) {
                r = engine_eval(engine, step->condition, &list, err);
                if (r < 0)
                        return r;
                if (!cJSON_IsArray(list)) {
                        (void) error_say(err, -EINVAL, "step %s: `%.200s` is no list", engine->path,
                                         json_text(step->json, "foreach"));
                        return engine_fail(engine, CAUSE_EXPRESSION, -EINVAL);
                }
                r = engine_note(engine, "items", list, err);
                if (r < 0)
                        return r;
        }
        *ret_list = TAKE_PTR(list);
        return 0;
}

static int check_number(Engine *engine, const Step *step, unsigned n, Error *err) {
        if (n <= step->max_iterations)
                return 0;
        (void) error_say(err, -ECANCELED,
                         "step %s: the list has %u items, of at most %u (max_items)", engine->path,
                         n, step->max_iterations);
        return engine_fail(engine, CAUSE_MAX_ITERATIONS, -ECANCELED);
}

static cJSON *collect(Items *items) {
        SCOPED(json_free) cJSON *all = cJSON_CreateArray();

        for (unsigned i = 0; i < items->n; i++)
                if (!json_push_consume(all, TAKE_PTR(items->outputs[i])))
                        return NULL;
        return TAKE_PTR(all);
}

static int run_items(Engine *engine, Items *items, cJSON **ret_output, Error *err) {
        Branches branches = { .n = items->n,
                              .concurrency = items->step->concurrency,
                              .run = run_item,
                              .userdata = items };
        int r = branches_run(engine, &branches, err);

        if (r < 0)
                return r;
        *ret_output = collect(items);
        return *ret_output ? 0 : engine_no_memory(engine, err);
}

int foreach_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(json_free) cJSON *list = NULL;
        Items items = { .step = step };
        cJSON *item;
        unsigned i = 0;
        int r;

        r = take_list(engine, step, &list, err);
        if (r < 0)
                return r;
        items.n = (unsigned) cJSON_GetArraySize(list);
        r = check_number(engine, step, items.n, err);
        if (r < 0)
                return r;
        items.list = calloc(2 * ((size_t) items.n + 1), sizeof(cJSON *)); /* NOLINT: pointers */
        if (!items.list)
                return engine_no_memory(engine, err);
        items.outputs = items.list + items.n + 1;
        cJSON_ArrayForEach(item, list) {
                items.list[i++] = item;
        }
        r = run_items(engine, &items, ret_output, err);
        for (i = 0; i < items.n; i++)
                json_free(items.outputs[i]);
        free(items.list);
        return r;
}

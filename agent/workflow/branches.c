/*
 * branches: slots. A slot holds one branch that runs; when it ends its engine is judged and the slot takes
 * the next. The scope of a branch refers to the outer values instead of copying them: the outer flow stands
 * still meanwhile and changes none of them.
 *
 * Branches in branches may be more than there are strands. Then a group goes on with those that it has; one that
 * has none runs a branch on the stack of who waits for it, so that every group goes on.
 */
#include "agent/workflow/branches.h"

#include <string.h>

typedef struct Slot {
        Engine engine;
        Strand *strand; /* owned; NULL: the slot is free */
        const struct Group *group;
        unsigned index;
        int r;
        Error err;
} Slot;

typedef struct Group {
        const Branches *branches;
        Engine *outer;
        Slot slots[BRANCHES_CONCURRENCY_MAX];
        unsigned n_slots;
        unsigned next; /* the branch that is begun next */
        bool stopped;  /* no further one is begun */
        int r;         /* of the first that failed */
} Group;

/* ---- scopes -------------------------------------------------------------------------------------- */

static int refer(cJSON *to, cJSON *from, const char *name) {
        cJSON *item = json_get(from, name);

        return item && cJSON_AddItemReferenceToObject(to, name, item) ? 0 : -ENOMEM;
}

static cJSON *new_scope(const Engine *outer) {
        SCOPED(json_free) cJSON *data = cJSON_CreateObject();
        cJSON *steps = json_add_object(data, "steps"), *item;

        cJSON_ArrayForEach(item, json_get(outer->data, "steps")) {
                if (!cJSON_AddItemReferenceToObject(steps, item->string, item))
                        return NULL;
        }
        if (refer(data, outer->data, "input") < 0 || refer(data, outer->data, "item") < 0 ||
            refer(data, outer->data, "error") < 0 ||
            !json_add_number(data, "iteration", outer->iteration) ||
            !json_add_consume(data, "state", cJSON_CreateObjectReference(NULL)))
                return NULL;
        return TAKE_PTR(data);
}

int branches_take(Engine *inner, cJSON *to) {
        cJSON *from = json_get(inner->data, "steps");
        cJSON *item = from ? from->child : NULL;

        while (item) {
                cJSON *next = item->next;

                if (!(item->type & cJSON_IsReference)) {
                        autofree char *name = strdup(item->string);

                        if (!name ||
                            !json_add_consume(to, name, cJSON_DetachItemViaPointer(from, item)))
                                return -ENOMEM;
                }
                item = next;
        }
        return 0;
}

/* ---- slots --------------------------------------------------------------------------------------- */

static void run_slot(void *userdata) {
        Slot *slot = userdata;
        const Branches *branches = slot->group->branches;

        slot->r = branches->run(&slot->engine, slot->index, branches->userdata, &slot->err);
        engine_live(&slot->engine, -1);
}

/* Make the scope of the next branch. */
static int prepare(Group *group, Slot *slot, Error *err) {
        Engine *outer = group->outer;

        slot->engine = *outer;
        slot->engine.cause = CAUSE_NONE;
        slot->engine.data = new_scope(outer);
        if (!slot->engine.data)
                return engine_no_memory(outer, err);
        slot->group = group;
        slot->index = group->next++;
        slot->err = ERROR_EMPTY;
        engine_live(outer, 1);
        return 0;
}

/* Returns: 1 where there is no strand for it now; 0; negative errno with the cause set */
static int begin(Group *group, Slot *slot, Error *err) {
        Engine *outer = group->outer;
        int r = prepare(group, slot, err);

        if (r < 0)
                return r;
        r = loop_spawn(outer->session->loop, run_slot, slot, &slot->strand);
        if (r == 0)
                return 0;
        engine_live(outer, -1);
        slot->engine.data = json_free(slot->engine.data);
        group->next--;
        if (r == -EAGAIN)
                return 1;
        (void) error_set(err, r, "begin branch %u of step %s", slot->index, outer->path);
        return engine_fail(outer, CAUSE_INTERNAL, r);
}

static void stop(Group *group) {
        group->stopped = true;
        for (unsigned i = 0; i < group->n_slots; i++)
                if (group->slots[i].strand)
                        loop_cancel(group->slots[i].strand);
}

/* The first failure is the group's. */
static void fail(Group *group, int r, Cause cause, const Error *why, Error *err) {
        if (group->r < 0)
                return;
        group->r = r;
        (void) engine_fail(group->outer, cause, r);
        if (why && err)
                *err = *why;
        stop(group);
}

/* What a branch that has ended, or is ended with this, gives. */
static void collect(Group *group, Slot *slot, Error *err) {
        const Branches *branches = group->branches;

        if (slot->strand)
                slot->strand = loop_join(group->outer->session->loop, slot->strand);
        if (slot->r < 0) {
                if (!group->stopped) /* what was ended failed because of that */
                        fail(group, slot->r, slot->engine.cause, &slot->err, err);
        } else if (group->r == 0 && branches->done) {
                int r = branches->done(group->outer, &slot->engine, slot->index, branches->userdata,
                                       err);

                if (r < 0)
                        fail(group, r, CAUSE_INTERNAL, NULL, NULL);
        }
        if (slot->r == BRANCH_E_ENOUGH)
                stop(group);
        slot->engine.data = json_free(slot->engine.data);
}

static bool one_has_ended(const void *userdata) {
        const Group *group = userdata;

        for (unsigned i = 0; i < group->n_slots; i++)
                if (group->slots[i].strand && loop_has_ended(group->slots[i].strand))
                        return true;
        return false;
}

static bool has_more(const Group *group) {
        return !group->stopped && group->next < group->branches->n;
}

static void fill_slots(Group *group, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < group->n_slots && r == 0; i++) {
                Slot *slot = &group->slots[i];

                if (slot->strand || !has_more(group))
                        continue;
                r = begin(group, slot, err);
                if (r < 0)
                        fail(group, r, CAUSE_INTERNAL, NULL, NULL);
        }
}

/* The next branch, here. */
static void run_here(Group *group, Error *err) {
        Slot *slot = &group->slots[0];
        int r = prepare(group, slot, err);

        if (r < 0) {
                fail(group, r, CAUSE_INTERNAL, NULL, NULL);
                return;
        }
        run_slot(slot);
        collect(group, slot, err);
}

static bool is_busy(const Group *group) {
        for (unsigned i = 0; i < group->n_slots; i++)
                if (group->slots[i].strand)
                        return true;
        return false;
}

/* A wait that ends early (a time limit, a cancelled strand) ends the branches too; loop_join() waits for that. */
static void wait_for_some(Group *group, Error *err) {
        Error why = ERROR_EMPTY;
        int r;

        engine_rest(group->outer);
        r = loop_until(group->outer->session->loop, one_has_ended, group, &why);
        if (r < 0)
                fail(group, r, engine_wait_cause(r), &why, err);
        for (unsigned i = 0; i < group->n_slots; i++) {
                Slot *slot = &group->slots[i];

                if (slot->strand && (r < 0 || loop_has_ended(slot->strand)))
                        collect(group, slot, err);
        }
}

static void run_group(Group *group, Error *err) {
        fill_slots(group, err);
        engine_live(group->outer, -1);
        while (is_busy(group) || has_more(group)) {
                if (is_busy(group))
                        wait_for_some(group, err);
                else
                        run_here(group, err);
                fill_slots(group, err);
        }
        engine_live(group->outer, 1);
}

int branches_run(Engine *engine, const Branches *branches, Error *err) {
        unsigned most = branches->concurrency;
        Group *group = calloc(1, sizeof(*group));
        int r;

        if (!group)
                return engine_no_memory(engine, err);
        group->branches = branches;
        group->outer = engine;
        group->n_slots =
                most > 0 && most < BRANCHES_CONCURRENCY_MAX ? most : BRANCHES_CONCURRENCY_MAX;
        if (group->n_slots > branches->n)
                group->n_slots = branches->n;
        /* the one compile of the run needs more stack than a branch has */
        r = expressions_compile(engine->workflow->expressions, err);
        if (r < 0)
                r = engine_fail(engine, CAUSE_EXPRESSION, r);
        if (r == 0) {
                run_group(group, err);
                r = group->r;
        }
        free(group);
        return r;
}

/*
 * claims. The name of a step is its path without the numbers of loops. What leads to a workflow that was called keeps
 * its numbers: there a loop and a foreach cannot be told apart from here.
 */
#include "agent/workflow/claims.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/kinds.h"

static const Step *find_step(const Step *steps, unsigned n, const char *id, size_t length) {
        for (unsigned i = 0; i < n; i++) {
                const Step *inner;

                if (strncmp(steps[i].id, id, length) == 0 && !steps[i].id[length])
                        return &steps[i];
                inner = find_step(steps[i].steps, steps[i].n_steps, id, length);
                if (inner)
                        return inner;
        }
        return NULL;
}

static bool is_loop(const Step *step) {
        return step &&
               (strcmp(step->kind->key, "dountil") == 0 || strcmp(step->kind->key, "dowhile") == 0);
}

/* @name of ENGINE_PATH_MAX */
static void name_step(const Engine *engine, char *name) {
        const Workflow *workflow = engine->workflow;
        const char *at = engine->path + engine->base;
        size_t used = engine->base;

        memcpy(name, engine->path, used);
        while (*at) {
                size_t part = strcspn(at, "/"), id = strcspn(at, "/[~");
                size_t keep = part + (at[part] == '/');

                if (is_loop(find_step(workflow->steps, workflow->n_steps, at, id))) {
                        memcpy(name + used, at, id);
                        used += id;
                        at += part;
                        keep -= part;
                }
                memcpy(name + used, at, keep);
                used += keep;
                at += keep;
        }
        name[used] = '\0';
}

int claims_add(Engine *engine) {
        Session *session = engine->session;
        char name[ENGINE_PATH_MAX];
        cJSON *count;

        name_step(engine, name);
        if (!session->claims)
                session->claims = cJSON_CreateObject();
        count = json_get(session->claims, name);
        if (!count)
                count = json_add_number(session->claims, name, 0);
        if (!count)
                return -ENOMEM;
        cJSON_SetNumberValue(count, count->valueint + 1);
        return count->valueint;
}

void claims_forget(Session *session) {
        session->claims = json_free(session->claims);
}

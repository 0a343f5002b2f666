/*
 * workflow: see workflow.h. The whole of a file; its steps are loader.h's.
 */
#include "agent/workflow/workflow.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/workflow/first-state.h"
#include "agent/workflow/fit.h"
#include "agent/workflow/kinds.h"
#include "agent/workflow/loader.h"

static void step_deinit(Step *step) {
        for (unsigned i = 0; i < step->n_steps; i++)
                step_deinit(&step->steps[i]);
        free(step->steps);
        free(step->arms);
        free(step->sets);
        free(step->where);
        if (step->kind && step->kind->unload)
                step->kind->unload(step);
        template_free(step->prompt);
        for (unsigned i = 0; i < step->n_arguments; i++)
                template_free(step->arguments[i]);
        free(step->arguments);
}

Workflow *workflow_free(Workflow *workflow) {
        if (workflow) {
                for (unsigned i = 0; i < workflow->n_steps; i++)
                        step_deinit(&workflow->steps[i]);
                for (unsigned i = 0; i < workflow->n_finally; i++)
                        step_deinit(&workflow->finally[i]);
                free(workflow->steps);
                free(workflow->finally);
                if (workflow->json) /* else it is a part of another's, whose expressions they are */
                        expressions_free(workflow->expressions);
                json_free(workflow->json);
        }
        free(workflow);
        return NULL;
}

int workflow_fault(Error *err, const char *path, const char *key, const char *format, ...) {
        char text[ERROR_TEXT_MAX];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        return error_say(err, -EINVAL, "%s%s%s: %s", path, *key ? "/" : "", key, text);
}

static int check_top(const cJSON *json, Error *err) {
        static const char *const keys[] = { "warder", "name",    "description", "input", "state",
                                            "steps",  "finally", "workflows",   "checks" };
        const char *format = json_text(json, "warder");
        const cJSON *item;
        int r;

        if (!cJSON_IsObject(json))
                return workflow_fault(err, "", "", "a workflow is an object");
        if (!format || strcmp(format, "workflow/1") != 0)
                return workflow_fault(err, "", "warder", "\"workflow/1\" is needed");
        cJSON_ArrayForEach(item, json) {
                bool known = false;

                for (unsigned i = 0; i < ELEMENTS(keys); i++)
                        known |= strcmp(keys[i], item->string) == 0;
                if (!known)
                        return workflow_fault(err, "", item->string, "a workflow has no such key");
        }
        if (!json_text(json, "name"))
                return workflow_fault(err, "", "name", "a name is needed");
        if (json_get(json, "workflows") && !cJSON_IsObject(json_get(json, "workflows")))
                return workflow_fault(err, "", "workflows", "an object of workflows is needed");
        r = loader_schema(json_get(json, "input"), "", "input", err);
        return r < 0 ? r : loader_schema(json_get(json, "state"), "", "state", err);
}

/* Its steps stand below a place of that name. */
static int load_finally(Loader *loader, const cJSON *list, Error *err) {
        Workflow *workflow = loader->workflow;
        size_t place = loader->place;
        int r = 0;

        loader->place += sizeof("finally");
        if (list)
                r = loader_list(loader, list, "/finally", &workflow->finally, &workflow->n_finally,
                                err);
        loader->place = place;
        return r;
}

/* The content of @json, which @loader's workflow is made of. */
static int load_content(Loader *loader, const cJSON *json, Error *err) {
        Workflow *workflow = loader->workflow;
        const void *outer = expressions_enter(workflow->expressions, workflow);
        int r;

        r = check_top(json, err);
        if (r < 0)
                return r;
        workflow->name = json_text(json, "name");
        workflow->description = json_text(json, "description");
        workflow->input = json_get(json, "input");
        workflow->state = json_get(json, "state");
        r = faults_take(loader->faults, first_state_check(workflow->state, err), err);
        if (r < 0)
                return r;
        r = loader_list(loader, json_get(json, "steps"), "/steps", &workflow->steps,
                        &workflow->n_steps, err);
        r = faults_take(loader->faults, r, err);
        if (r >= 0)
                r = load_finally(loader, json_get(json, "finally"), err);
        (void) expressions_enter(workflow->expressions, outer);
        if (r < 0 || faults_any(loader->faults))
                return r;
        return fit_check(workflow, loader->faults, err);
}

int workflow_load_called(Loader *outer, const char *name, const char *path, Workflow **ret_workflow,
                         Error *err) {
        const cJSON *json = json_get(outer->library, name);
        SCOPED(workflow_free) Workflow *workflow = NULL;
        Loader loader = { .roles = outer->roles,
                          .library = outer->library,
                          .n_all = outer->n_all,
                          .depth = outer->depth + 1,
                          .place = outer->place,
                          .forked = outer->forked,
                          .faults = outer->faults };
        unsigned n_faults = outer->faults ? outer->faults->n : 0;
        char place[WORKFLOW_PATH_MAX + 128];
        int r;

        if (!json)
                return workflow_fault(err, path, "workflow", "there is no workflow \"%.64s\"",
                                      name);
        if (loader.depth >= WORKFLOW_DEPTH_MAX)
                return workflow_fault(err, path, "workflow",
                                      "workflows call each other deeper than %d",
                                      WORKFLOW_DEPTH_MAX);
        workflow = calloc(1, sizeof(*workflow));
        if (!workflow)
                return error_set(err, -ENOMEM, "load workflow %.64s", name);
        workflow->expressions = outer->workflow->expressions;
        loader.workflow = workflow;
        (void) snprintf(place, sizeof(place), "%s/workflow: workflow %.64s", path, name);
        r = load_content(&loader, json, err);
        if (r < 0)
                return error_add(err, r, "%s", place);
        r = faults_within(outer->faults, n_faults, place, err);
        if (r < 0)
                return r;
        *ret_workflow = TAKE_PTR(workflow);
        return 0;
}

int workflow_load(const cJSON *json, const RoleSet *roles, Workflow **ret_workflow, Error *err) {
        return workflow_load_all(json, roles, NULL, ret_workflow, err);
}

int workflow_load_all(const cJSON *json, const RoleSet *roles, Faults *faults,
                      Workflow **ret_workflow, Error *err) {
        SCOPED(workflow_free) Workflow *workflow = calloc(1, sizeof(*workflow));
        const char *name = json_text(json, "name");
        unsigned n_all = 0;
        Loader loader = { .workflow = workflow, .roles = roles, .n_all = &n_all, .faults = faults };
        char place[96];
        int r;

        if (!workflow)
                return error_set(err, -ENOMEM, "load a workflow");
        workflow->json = cJSON_Duplicate(json, true);
        if (!workflow->json || expressions_new(&workflow->expressions) < 0)
                return error_set(err, -ENOMEM, "load a workflow");
        loader.library = json_get(workflow->json, "workflows");
        (void) snprintf(place, sizeof(place), "workflow %.64s", name ? name : "(without a name)");
        r = faults_take(faults, load_content(&loader, workflow->json, err), err);
        if (r < 0)
                return error_add(err, r, "%s", place);
        if (faults_any(faults))
                return faults_within(faults, 0, place, err);
        *ret_workflow = TAKE_PTR(workflow);
        return 0;
}

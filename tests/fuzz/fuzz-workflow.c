/*
 * workflow: a workflow/1 file, with its templates and jq expressions, and roles. Input: the workflow, or an
 * object with the key "roles".
 */
#include "agent/workflow/describe.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static RoleSet roles;

static void must(bool good) {
        if (!good)
                abort();
}

static void start(void) {
        static const char text[] =
                "{\"dev\":{\"instructions\":\"x\"},\"architect\":{\"instructions\":\"y\"},"
                "\"developer\":{\"instructions\":\"z\"}}";
        SCOPED(json_free) cJSON *json = NULL;

        if (roles.n > 0)
                return;
        must(json_parse(text, strlen(text), 0, &json, NULL) == 0);
        must(roles_load(&roles, json, NULL) == 0);
}

static void load_roles(const cJSON *json) {
        Error err = ERROR_EMPTY;
        RoleSet set = { 0 };

        must(roles_load(&set, json, &err) == 0 || err.text[0]);
        must(set.n <= ROLES_MAX);
        roles_deinit(&set);
}

/* What goes on behind a fault finds one in the same workflows, and nothing to run in them. */
static bool has_faults(const cJSON *json) {
        SCOPED(workflow_free) Workflow *workflow = NULL;
        SCOPED(faults_deinit) Faults faults = { 0 };
        Error err = ERROR_EMPTY;
        int r = workflow_load_all(json, &roles, &faults, &workflow, &err);

        must((r < 0 || faults_any(&faults)) == !workflow);
        must(faults.n <= FAULTS_MAX);
        return !workflow;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(workflow_free) Workflow *workflow = NULL;
        SCOPED(json_free) cJSON *json = NULL;
        Error err = ERROR_EMPTY;
        int r;

        start();
        if (json_parse((const char *) data, n, JSON_COMMENTS, &json, NULL) < 0)
                return 0;
        if (json_get(json, "roles")) {
                load_roles(json_get(json, "roles"));
                return 0;
        }
        r = workflow_load(json, &roles, &workflow, &err);
        must((r < 0) == has_faults(json));
        if (r < 0)
                must(err.text[0] && !workflow);
        else
                must(workflow->n_steps > 0 && workflow->n_steps <= WORKFLOW_STEPS_MAX);
        if (workflow) {
                SCOPED(json_free) cJSON *tree = describe_workflow(workflow);

                must(cJSON_IsArray(json_get(tree, "steps")));
        }
        return 0;
}

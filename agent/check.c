/*
 * check: the same load as before a run, and all expressions compiled.
 */
#include "agent/check.h"

#include <stdio.h>
#include <string.h>

#include "agent/filter.h"
#include "agent/workflow/describe.h"
#include "agent/workflow/jq-worker.h"
#include "base/fds.h"
#include "base/lockdown.h"

#define CHECK_BYTES_MAX (8 * 1024 * 1024)
#define JQ_FD           3

static int compile(const Workflow *workflow, Faults *faults, Error *err) {
        char place[96];
        int r = expressions_compile_all(workflow->expressions, faults, err);

        (void) snprintf(place, sizeof(place), "workflow %.64s", workflow->name);
        return r < 0 ? r : faults_within(faults, 0, place, err);
}

static int check(const cJSON *asked, JqWorker *jq, Faults *faults, cJSON **ret_tree, Error *err) {
        SCOPED(workflow_free) Workflow *workflow = NULL;
        RoleSet roles = { 0 };
        int r;

        r = roles_load(&roles, json_get(asked, "roles"), err);
        if (r >= 0)
                r = workflow_load_all(json_get(asked, "workflow"), &roles, faults, &workflow, err);
        if (r >= 0 && workflow) {
                expressions_set_worker(workflow->expressions, jq);
                r = compile(workflow, faults, err);
        }
        if (r >= 0 && !faults_any(faults))
                *ret_tree = describe_workflow(workflow);
        workflow = workflow_free(workflow); /* its steps point to the roles */
        roles_deinit(&roles);
        return r;
}

static void add_faults(cJSON *said, const Faults *faults) {
        cJSON *list;

        (void) json_add_text(said, "fault", faults->texts[0]);
        list = json_add_array(said, "faults");
        for (unsigned i = 0; i < faults->n; i++)
                (void) json_push_text(list, faults->texts[i]);
        (void) json_add_number(said, "more", faults->more);
}

static int answer(const cJSON *asked, JqWorker *jq) {
        SCOPED(json_free) cJSON *said = cJSON_CreateObject();
        autofree char *text = NULL;
        SCOPED(faults_deinit) Faults faults = { 0 };
        cJSON *tree = NULL;
        Error err = ERROR_EMPTY;
        int r = check(asked, jq, &faults, &tree, &err);

        r = faults_take(&faults, r < 0 ? -EINVAL : 0, &err);
        if (r < 0)
                return 2;
        (void) json_add_bool(said, "good", !faults_any(&faults));
        if (faults_any(&faults))
                add_faults(said, &faults);
        else
                (void) json_add_consume(said, "tree", tree);
        text = json_print(said);
        if (!text || puts(text) < 0 || fflush(stdout) != 0)
                return 2;
        return faults_any(&faults) ? 1 : 0;
}

int check_main(char *title) {
        SCOPED(jq_worker_free) JqWorker *jq = NULL;
        SCOPED(json_free) cJSON *asked = NULL;
        autofree char *text = NULL;
        Error err = ERROR_EMPTY;
        int filter, r;
        size_t n;

        r = jq_worker_new(title, &jq, &err);
        if (r >= 0)
                r = jq_worker_place(jq, JQ_FD, &err);
        if (r >= 0)
                r = filter = filter_agent_fd(&err);
        if (r >= 0)
                r = lock_down(JQ_FD, filter, &err);
        if (r >= 0) {
                r = fd_read_all(0, CHECK_BYTES_MAX, &text, &n);
                if (r < 0)
                        (void) error_set(&err, r, "read stdin");
        }
        if (r >= 0)
                r = json_parse(text, n, JSON_COMMENTS, &asked, &err);
        if (r >= 0)
                return answer(asked, jq);
        (void) fprintf(stderr, "warder-agent: %s\n", err.text);
        return 2;
}

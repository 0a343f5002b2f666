/*
 * check: the same load as before a run, and all expressions compiled.
 */
#include "agent/check.h"

#include <stdio.h>
#include <string.h>

#include "agent/filter.h"
#include "agent/workflow/describe.h"
#include "base/fds.h"
#include "base/lockdown.h"

#define CHECK_BYTES_MAX (8 * 1024 * 1024)
#define LAST_FD         2

static int check(const cJSON *asked, cJSON **ret_tree, Error *err) {
        SCOPED(workflow_free) Workflow *workflow = NULL;
        RoleSet roles = { 0 };
        int r;

        r = roles_load(&roles, json_get(asked, "roles"), err);
        if (r >= 0)
                r = workflow_load(json_get(asked, "workflow"), &roles, &workflow, err);
        if (r >= 0)
                r = expressions_compile(workflow->expressions, err);
        if (r >= 0)
                *ret_tree = describe_workflow(workflow);
        workflow = workflow_free(workflow); /* its steps point to the roles */
        roles_deinit(&roles);
        return r;
}

static int answer(const cJSON *asked) {
        SCOPED(json_free) cJSON *said = cJSON_CreateObject();
        autofree char *text = NULL;
        cJSON *tree = NULL;
        Error err = ERROR_EMPTY;
        int r = check(asked, &tree, &err);

        (void) json_add_bool(said, "good", r >= 0);
        if (r < 0)
                (void) json_add_text(said, "fault", err.text);
        else
                (void) json_add_consume(said, "tree", tree);
        text = json_print(said);
        if (!text || puts(text) < 0 || fflush(stdout) != 0)
                return 2;
        return r < 0 ? 1 : 0;
}

int check_main(void) {
        SCOPED(json_free) cJSON *asked = NULL;
        autofree char *text = NULL;
        Error err = ERROR_EMPTY;
        int filter = filter_agent_fd(&err), r;
        size_t n;

        r = filter < 0 ? filter : lock_down(LAST_FD, filter, &err);
        if (r >= 0) {
                r = fd_read_all(0, CHECK_BYTES_MAX, &text, &n);
                if (r < 0)
                        (void) error_set(&err, r, "read stdin");
        }
        if (r >= 0)
                r = json_parse(text, n, JSON_COMMENTS, &asked, &err);
        if (r >= 0)
                return answer(asked);
        (void) fprintf(stderr, "warder-agent: %s\n", err.text);
        return 2;
}

/*
 * methods: see methods.h.
 */
#include "supervisor/front/methods.h"

#include <stdio.h>
#include <string.h>

#include "base/schema.h"
#include "supervisor/front/gate/patch-methods.h"
#include "supervisor/front/gate/receipt-methods.h"
#include "supervisor/front/gate/verify-methods.h"
#include "supervisor/front/jails/jail-connect.h"
#include "supervisor/front/jails/jail-copy.h"
#include "supervisor/front/jails/jail-create.h"
#include "supervisor/front/jails/jail-diff.h"
#include "supervisor/front/jails/jail-fork.h"
#include "supervisor/front/jails/jail-log-methods.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jail-save.h"
#include "supervisor/front/jails/jail-stats.h"
#include "supervisor/front/jails/pool-methods.h"
#include "supervisor/front/jails/still-methods.h"
#include "supervisor/front/own-methods.h"
#include "supervisor/front/policy/policy-methods.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/protocol.h"
#include "supervisor/front/store/snapshot-export.h"
#include "supervisor/front/store/snapshot-import.h"
#include "supervisor/front/store/snapshot-methods.h"
#include "supervisor/front/tasks/answer-methods.h"
#include "supervisor/front/tasks/replay-methods.h"
#include "supervisor/front/tasks/resume-methods.h"
#include "supervisor/front/tasks/task-methods.h"
#include "supervisor/front/workspaces/workspace-methods.h"

#define METHODS_MAX 128

static const MethodRow *const modules[] = {
        own_methods,       jail_methods,   snapshot_methods, policy_methods,
        verify_methods,    task_methods,   patch_methods,    receipt_methods,
        replay_methods,    answer_methods, resume_methods,   pool_methods,
        workspace_methods, still_methods,  jail_log_methods, jail_stats_methods,
};

static const MethodRow *const rows[] = {
        /* each in a file of its own */
        &jail_connect_row, &jail_copy_row, &jail_create_row,     &jail_diff_row,
        &jail_save_row,    &jail_fork_row, &snapshot_import_row, &snapshot_export_row,
};

typedef struct Method {
        const MethodRow *row; /* borrowed, constant */
        unsigned n_fds_max;
        cJSON *params; /* owned: its schema, parsed */
} Method;

struct Methods {
        Method items[METHODS_MAX];
        unsigned n;
};

/* What protocol/ says of it; the schemas were checked when this was built */
static int add_row(Methods *methods, const MethodRow *row, Error *err) {
        Method *method = &methods->items[methods->n];
        int r;

        if (methods->n >= METHODS_MAX)
                return error_say(err, -E2BIG, "more than %d methods", METHODS_MAX);
        for (unsigned i = 0; i < ELEMENTS(protocol_methods); i++) {
                const char *params = protocol_methods[i].params;

                if (strcmp(protocol_methods[i].name, row->name) != 0)
                        continue;
                r = json_parse(params, strlen(params), 0, &method->params, err);
                if (r < 0)
                        return error_add(err, r, "schema of the parameters of %s", row->name);
                method->row = row;
                method->n_fds_max = protocol_methods[i].n_fds_max;
                methods->n++;
                return 0;
        }
        return error_say(err, -ENOENT, "method %s is not described", row->name);
}

static int add_all(Methods *methods, Error *err) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < ELEMENTS(rows); i++)
                r = add_row(methods, rows[i], err);
        for (unsigned i = 0; r >= 0 && i < ELEMENTS(modules); i++)
                for (const MethodRow *row = modules[i]; r >= 0 && row->name; row++)
                        r = add_row(methods, row, err);
        return r;
}

int methods_new(Methods **ret, Error *err) {
        Methods *methods = calloc(1, sizeof(Methods));
        int r;

        if (!methods)
                return error_set(err, -ENOMEM, "make the table of methods");
        r = add_all(methods, err);
        if (r >= 0 && methods->n != ELEMENTS(protocol_methods))
                r = error_say(err, -ENOENT, "of %zu methods that are described %u are there",
                              ELEMENTS(protocol_methods), methods->n);
        if (r < 0) {
                methods_free(methods);
                return r;
        }
        *ret = methods;
        return 0;
}

Methods *methods_free(Methods *methods) {
        if (!methods)
                return NULL;
        for (unsigned i = 0; i < methods->n; i++)
                json_free(methods->items[i].params);
        free(methods);
        return NULL;
}

static const Method *find_method(const Methods *methods, const char *name) {
        for (unsigned i = 0; i < methods->n; i++)
                if (strcmp(methods->items[i].row->name, name) == 0)
                        return &methods->items[i];
        return NULL;
}

/* Returns: 0 or -EINVAL with the place and the reason in @fault. */
static int check(const Method *method, const Call *call, const cJSON *params, SchemaFault *fault) {
        if (schema_check(method->params, params, fault) < 0)
                return -EINVAL;
        if (call_n_fds(call) <= method->n_fds_max)
                return 0;
        *fault = (SchemaFault){ 0 };
        (void) snprintf(fault->text, sizeof fault->text, "%s takes at most %u descriptors, not %u",
                        method->row->name, method->n_fds_max, call_n_fds(call));
        return -EINVAL;
}

void methods_dispatch(Front *front, Call *call, const char *name, const cJSON *params) {
        const Method *method = find_method(front->methods, name);
        SCOPED(json_free) cJSON *empty = params ? NULL : cJSON_CreateObject();
        SchemaFault fault = { 0 };
        cJSON *result = NULL;
        Error err = ERROR_EMPTY;
        int r;

        if (!method) {
                call_fail_method(call, name);
                return;
        }
        if (check(method, call, params ? params : empty, &fault) < 0) {
                call_fail_params(call, &fault);
                return;
        }
        r = method->row->run(front, call, params ? params : empty, &result, &err);
        if (r < 0)
                quota_refuse(front, call, &err);
        if (r < 0)
                call_fail(call, NULL, &err);
        else if (result)
                call_answer(call, result, NULL, 0);
}

unsigned methods_count(const Methods *methods) {
        return methods->n;
}

const char *methods_name(const Methods *methods, unsigned i) {
        return methods->items[i].row->name;
}

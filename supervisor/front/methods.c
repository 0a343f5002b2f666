/*
 * methods: see methods.h.
 */
#include "supervisor/front/methods.h"
#include "supervisor/front/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/schema.h"
#include "supervisor/front/answer-methods.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/commands.h"
#include "supervisor/front/jail-copy.h"
#include "supervisor/front/jail-create.h"
#include "supervisor/front/jail-diff.h"
#include "supervisor/front/jail-fork.h"
#include "supervisor/front/jail-log-methods.h"
#include "supervisor/front/jail-methods.h"
#include "supervisor/front/jail-save.h"
#include "supervisor/front/jail-stats.h"
#include "supervisor/front/jails.h"
#include "supervisor/front/notary-link.h"
#include "supervisor/front/patch-methods.h"
#include "supervisor/front/policy-methods.h"
#include "supervisor/front/pool-methods.h"
#include "supervisor/front/pressure.h"
#include "supervisor/front/quotas.h"
#include "supervisor/front/receipt-methods.h"
#include "supervisor/front/replay-methods.h"
#include "supervisor/front/resume-methods.h"
#include "supervisor/front/snapshot-export.h"
#include "supervisor/front/snapshot-import.h"
#include "supervisor/front/snapshot-methods.h"
#include "supervisor/front/still-methods.h"
#include "supervisor/front/task-methods.h"
#include "supervisor/front/tasks.h"
#include "supervisor/front/turns.h"
#include "supervisor/front/verify-methods.h"
#include "supervisor/front/workspace-methods.h"

#define PROTOCOL    "1"
#define METHODS_MAX 128

static const MethodRow *const modules[] = {
        own_methods,       jail_methods,   snapshot_methods, policy_methods,
        verify_methods,    task_methods,   patch_methods,    receipt_methods,
        replay_methods,    answer_methods, resume_methods,   pool_methods,
        workspace_methods, still_methods,  jail_log_methods, jail_stats_methods,
};

static const MethodRow *const rows[] = {
        /* each in a file of its own */
        &jail_copy_row, &jail_create_row,     &jail_diff_row,       &jail_save_row,
        &jail_fork_row, &snapshot_import_row, &snapshot_export_row,
};

typedef struct Method {
        const MethodRow *row; /* borrowed, constant */
        cJSON *params;        /* owned: its schema, parsed */
} Method;

struct Methods {
        Method items[METHODS_MAX];
        unsigned n;
};

static int add_row(Methods *methods, const MethodRow *row, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        Method *method = &methods->items[methods->n];
        int r;

        if (methods->n >= METHODS_MAX)
                return error_say(err, -E2BIG, "more than %d methods", METHODS_MAX);
        r = json_parse(row->params, strlen(row->params), 0, &method->params, err);
        if (r < 0)
                return error_add(err, r, "schema of the parameters of %s", row->name);
        methods->n++;
        method->row = row;
        r = json_parse(row->result, strlen(row->result), 0, &result, err);
        return r < 0 ? error_add(err, r, "schema of the result of %s", row->name) : 0;
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
        if (call_n_fds(call) <= method->row->n_fds_max)
                return 0;
        fault->path[0] = '\0';
        (void) snprintf(fault->text, sizeof fault->text, "%s takes at most %u descriptors, not %u",
                        method->row->name, method->row->n_fds_max, call_n_fds(call));
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
                call_fail_params(call, fault.path, fault.text);
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

/* What a client may rely on, and what it runs into. */
static void add_bounds(cJSON *json) {
        static const struct {
                const char *name;
                uint64_t most;
        } bounds[] = {
                { "line_bytes", RPC_LINE_MAX },
                { "descriptors", RPC_FDS_PER_MESSAGE },
                { "requests_waiting", CALLS_PER_CLIENT_MAX },
                { "connections", CLIENTS_PER_UID_MAX },
                { "jails", FRONT_JAILS_PER_UID_MAX },
                { "jails_of_all", FRONT_JAILS_MAX },
                { "commands_of_a_jail", COMMANDS_PER_JAIL_MAX },
                { "stats_interval_usec", JAIL_STATS_INTERVAL_MIN },
        };
        cJSON *limits = json_add_object(json, "limits");

        for (unsigned i = 0; i < ELEMENTS(bounds); i++)
                json_add_number(limits, bounds[i].name, bounds[i].most);
}

/* What goes on altogether, for administrators. */
static void add_works(const Front *front, cJSON *json) {
        cJSON *shells = json_add_object(json, "shells");

        json_add_number(json, "waiting", turns_waiting(front->turns));
        json_add_number(shells, "asked", front->shells.asked);
        json_add_number(shells, "ready", front->shells.ready);
}

static int run_info(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        cJSON *json = cJSON_CreateObject();
        cJSON *names;
        uint32_t uid = call_uid(call);
        unsigned jails = 0;

        (void) params;
        for (const FrontJail *jail = front->jails; jail; jail = front_jail_next(jail))
                jails += uid == 0 || front_jail_owner(jail) == uid;
        json_add_text(json, "version", PACKAGE_VERSION);
        json_add_text(json, "protocol", PROTOCOL);
        json_add_bool(json, "private", front->info.private_call);
        json_add_text(json, "cgroup", front->info.cgroup_mode == CGROUP_V2 ? "v2" : "hybrid");
        json_add_number(json, "landlock", front->info.landlock_abi);
        json_add_number(json, "cpus", front->info.cpus);
        json_add_number(json, "memory", front->info.memory_total);
        json_add_number(json, "processes", front->info.pids_total);
        json_add_bool(json, "agent", front->agent_fd >= 0);
        json_add_bool(json, "egress", front->has_egress);
        add_bounds(json);
        json_add_number(json, "jails", jails);
        json_add_number(json, "tasks", tasks_count(front->tasks, uid));
        json_add_bool(json, "psi", pressure_has_psi(front->pressure));
        json_add_text(json, "audit", audit_state(front->audit));
        json_add_text(json, "receipt_key", notary_key(front->notary));
        json_add_text(json, "receipt_fault", notary_fault(front->notary));
        if (uid == 0)
                add_works(front, json);
        names = json_add_array(json, "methods");
        for (unsigned i = 0; i < front->methods->n; i++)
                json_push_text(names, front->methods->items[i].row->name);
        if (!json)
                return error_set(err, -ENOMEM, "describe the supervisor");
        *ret_result = json;
        return 0;
}

/* The schema's properties become OpenRPC's params, by name. */
static void add_params(cJSON *json, const cJSON *schema) {
        cJSON *list = json_add_array(json, "params");
        const cJSON *required = json_get(schema, "required");
        const cJSON *property, *name;

        cJSON_ArrayForEach(property, json_get(schema, "properties")) {
                cJSON *param = cJSON_CreateObject();
                bool needed = false;

                cJSON_ArrayForEach(name, required) needed |=
                        strcmp(name->valuestring, property->string) == 0;
                json_add_text(param, "name", property->string);
                json_add_bool(param, "required", needed);
                json_add_consume(param, "schema", cJSON_Duplicate(property, true));
                json_push_consume(list, param);
        }
}

static cJSON *describe(const Method *method) {
        const MethodRow *row = method->row;
        cJSON *json = cJSON_CreateObject();
        cJSON *result, *schema = NULL;

        json_add_text(json, "name", row->name);
        json_add_text(json, "summary", row->summary);
        json_add_text(json, "paramStructure", "by-name");
        add_params(json, method->params);
        result = json_add_object(json, "result");
        json_add_text(result, "name", "result");
        (void) json_parse(row->result, strlen(row->result), 0, &schema, NULL);
        json_add_consume(result, "schema", schema);
        json_add_number(json, "x-descriptors-max", row->n_fds_max);
        json_add_text(json, "x-charge", row->charge);
        return json;
}

/* The words of data.code; any method may answer with any of them. */
static void add_errors(cJSON *json) {
        static const char *const words[][2] = {
                { "invalid", "a value, an archive or a descriptor that cannot be used" },
                { "denied", "not this caller, or more than the policy allows" },
                { "not_found", "there is no such thing, or it is another user's" },
                { "exists", "the name is taken, or it was decided already" },
                { "busy", "too much at a time" },
                { "quota", "too much altogether" },
                { "limit", "a limit of the request was reached, or the host is full" },
                { "unsupported", "this host or file system cannot do it" },
                { "jail", "the jail could not be made, or has ended" },
                { "peer", "what the supervisor asked did not answer as it should" },
                { "internal", "a fault of the supervisor" },
        };
        cJSON *errors = json_add_object(json_add_object(json, "components"), "errors");

        for (unsigned i = 0; i < ELEMENTS(words); i++) {
                cJSON *error = json_add_object(errors, words[i][0]);

                json_add_consume(error, "code", cJSON_CreateNumber(RPC_OURS));
                json_add_text(error, "message", words[i][1]);
                json_add_text(json_add_object(error, "data"), "code", words[i][0]);
        }
}

/* References into components. */
static void refer_errors(cJSON *json, const cJSON *errors) {
        cJSON *list = json_add_array(json, "errors");
        const cJSON *error;

        cJSON_ArrayForEach(error, errors) {
                cJSON *reference = cJSON_CreateObject();
                char pointer[64];

                (void) snprintf(pointer, sizeof pointer, "#/components/errors/%s", error->string);
                json_add_text(reference, "$ref", pointer);
                json_push_consume(list, reference);
        }
}

static int run_discover(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                        Error *err) {
        cJSON *json = cJSON_CreateObject();
        cJSON *info, *list;

        (void) call;
        (void) params;
        json_add_text(json, "openrpc", "1.2.6");
        add_errors(json);
        info = json_add_object(json, "info");
        json_add_text(info, "title", "warder");
        json_add_text(info, "version", PROTOCOL);
        list = json_add_array(json, "methods");
        for (unsigned i = 0; i < front->methods->n; i++) {
                cJSON *method = describe(&front->methods->items[i]);

                refer_errors(method, json_at(json, "/components/errors"));
                json_push_consume(list, method);
        }
        if (!json)
                return error_set(err, -ENOMEM, "describe the methods");
        *ret_result = json;
        return 0;
}

const MethodRow own_methods[] = {
        { .name = "warder.info",
          .params = "{\"type\":\"object\",\"additionalProperties\":false}",
          .result = "{\"type\":\"object\",\"required\":[\"version\",\"protocol\",\"methods\"]}",
          .summary = "What this supervisor is and what it offers",
          .charge = "none",
          .run = run_info },
        { .name = "rpc.discover",
          .params = "{\"type\":\"object\",\"additionalProperties\":false}",
          .result = "{\"type\":\"object\",\"required\":[\"openrpc\",\"methods\"]}",
          .summary = "The methods of this protocol as an OpenRPC document",
          .charge = "none",
          .run = run_discover },
        { 0 },
};

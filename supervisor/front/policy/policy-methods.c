/*
 * policy-methods: see policy-methods.h.
 */
#include "supervisor/front/policy/policy-methods.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/policy/policy-take.h"

/* ---- showing one ---------------------------------------------------------------------------------- */

static void add_origins(cJSON *json, const PolicyTaken *taken) {
        cJSON *from = json_add_object(json, "from");
        char origin[POLICY_ORIGIN_MAX];

        for (unsigned i = 0; i < _POLICY_FIELD_MAX; i++)
                if (policy_taken_origin(taken, i, origin)[0])
                        json_add_text(from, policy_pointer(i), origin);
}

static void add_missing(cJSON *json, const Policies *policies, const PolicyRules *rules) {
        const unsigned require = rules->require;
        cJSON *missing = json_add_array(json, "missing");

        if (policies_check_required(policies, require & REQUIRE_LANDLOCK, "", NULL) < 0)
                json_push_text(missing, "landlock");
        if (policies_check_required(policies, require & REQUIRE_PSI, "", NULL) < 0)
                json_push_text(missing, "psi");
        if (limits_is_set(&rules->limits, LIMIT_MEMORY_HIGH) &&
            policies_reader(policies)->info->cgroup_mode != CGROUP_V2)
                json_push_text(missing, "cgroup v2 (limits.memory_high)");
}

static cJSON *show_taken(const Policies *policies, const PolicyTaken *taken) {
        const PolicyRules *rules = &taken->rules;
        cJSON *json = policy_rules_json(rules);
        cJSON *sources;

        json_add_text(json, "warder", "policy/1");
        json_add_text(json, "name", taken->use.shown);
        json_add_text(json, "description", rules->description);
        sources = json_add_array(json, "sources");
        for (unsigned i = rules->n_sources; i > 0; i--)
                json_push_text(sources, rules->sources[i - 1]);
        add_origins(json, taken);
        add_missing(json, policies, rules);
        return json;
}

static void add_filter(cJSON *json, int filter) {
        uint8_t value[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];

        if (digest_of_fd(filter, value, NULL) == 0)
                json_add_text(json, "filter", digest_format(value, text));
}

/* What of the seccomp profile is not done as it is written: sentences, absent where there are none. */
static void add_notices(cJSON *json, const char *at) {
        cJSON *list = *at ? json_add_array(json, "notices") : NULL;

        while (list && *at) {
                size_t n = strcspn(at, "\n");
                autofree char *line = strndup(at, n);

                if (line)
                        json_push_text(list, line);
                at += n + (at[n] == '\n');
        }
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        const PolicyAsk ask = { .policy = json_get(params, "name"), .show = true };
        PolicyTaken taken;
        cJSON *json;
        int r = policy_take(front, call, &ask, &taken, err);

        if (r < 0) {
                call_refuse(call, r == -ENOENT ? "not_found" : "invalid", "/name", NULL);
                return r;
        }
        json = show_taken(front->policies, &taken);
        if (!json)
                return error_set(err, -ENOMEM, "show a policy");
        add_filter(json, taken.filter);
        add_notices(json, policy_notices(taken.policy));
        if (policy_fault(taken.policy)[0])
                json_add_text(json, "fault", policy_fault(taken.policy));
        *ret_result = json;
        return 0;
}

/* ---- all ------------------------------------------------------------------------------------------ */

static cJSON *list_one(Policies *policies, const char *name) {
        cJSON *json = cJSON_CreateObject();
        Error err = ERROR_EMPTY;
        const Policy *policy = policies_look(policies, name, &err);
        const PolicyRules *rules;

        json_add_text(json, "name", name);
        if (!policy) {
                json_add_text(json, "fault", err.text);
                return json;
        }
        rules = policy_rules(policy);
        json_add_text(json, "description", rules->description);
        json_add_text(json, "source", rules->sources[rules->n_sources - 1]);
        add_missing(json, policies, rules);
        if (policy_fault(policy)[0])
                json_add_text(json, "fault", policy_fault(policy));
        return json;
}

static int run_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(json_free) cJSON *names = policies_names(front->policies);
        cJSON *json = cJSON_CreateObject();
        cJSON *list = json_add_array(json, "policies");
        const cJSON *name;

        (void) call;
        (void) params;
        if (!list) {
                json_free(json);
                return error_set(err, -ENOMEM, "list the policies");
        }
        cJSON_ArrayForEach(name, names)
                json_push_consume(list, list_one(front->policies, name->valuestring));
        *ret_result = json;
        return 0;
}

/* ---- a file that is nowhere yet ------------------------------------------------------------------- */

static cJSON *show_fault(const PolicyFault *fault) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "file", fault->file);
        if (fault->line)
                json_add_number(json, "line", fault->line);
        json_add_text(json, "field", fault->field);
        json_add_text(json, "reason", fault->reason);
        return json;
}

#define FAULTS_MAX 32 /* told of one file */

typedef struct Checking {
        PolicyText text;
        char wrong[FAULTS_MAX]
                  [sizeof(((PolicyFault *) NULL)->field)]; /* pointers found wrong so far */
        const char *without[FAULTS_MAX];
} Checking;

/* Does the fault say something new, and about this file? Without a field the rest may miss what it needs. */
static bool is_news(const Checking *checking, const PolicyFault *fault) {
        size_t n = strlen(fault->field);

        if (strcmp(fault->file, checking->text.file) != 0)
                return false;
        for (unsigned i = 0; i < checking->text.n_without; i++)
                if (strncmp(checking->wrong[i], fault->field, n) == 0)
                        return false;
        return true;
}

/* Again without each field that is wrong, until nothing more is. Returns: was the first reading good */
static int check_all(const PolicyReader *reader, Checking *checking, PolicyRead *read,
                     cJSON *faults, Error *err) {
        PolicyText *text = &checking->text;

        for (;;) {
                PolicyFault fault = { 0 };
                unsigned n = text->n_without;
                int r = policy_read_text(reader, text, read, &fault, err);

                if (r != -EINVAL)
                        return n == 0 || r < 0 ? r : -EINVAL;
                if (n > 0 && !is_news(checking, &fault))
                        return -EINVAL;
                json_push_consume(faults, show_fault(&fault));
                if (n == FAULTS_MAX || !fault.field[0] || strcmp(fault.file, text->file) != 0)
                        return -EINVAL;
                memcpy(checking->wrong[n], fault.field, sizeof fault.field);
                checking->without[n] = checking->wrong[n];
                text->n_without = n + 1;
        }
}

static int run_check(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        SCOPED(policy_read_deinit) PolicyRead read = POLICY_READ_EMPTY;
        const PolicyReader *reader = policies_reader(front->policies);
        Checking checking = { .text = { .file = json_text(params, "file"),
                                        .text = json_text(params, "text"),
                                        .n = strlen(json_text(params, "text")),
                                        .schema = reader->schema } };
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        SCOPED(json_free) cJSON *faults = cJSON_CreateArray();
        PolicyTaken taken = { .policy = NULL };
        int r;

        (void) call;
        checking.text.without = checking.without;
        r = check_all(reader, &checking, &read, faults, err);
        if (r < 0 && r != -EINVAL)
                return r;
        *err = ERROR_EMPTY;
        json_add_bool(json, "ok", r >= 0);
        (void) snprintf(taken.use.shown, sizeof taken.use.shown, "%s", checking.text.file);
        taken.rules = read.rules;
        if (r >= 0)
                json_add_consume(json, "policy", show_taken(front->policies, &taken));
        else
                json_add_consume(json, "fault", cJSON_Duplicate(faults->child, true));
        json_add_consume(json, "faults", TAKE_PTR(faults));
        if (!json)
                return error_set(err, -ENOMEM, "check a policy");
        *ret_result = TAKE_PTR(json);
        return 0;
}

const MethodRow policy_methods[] = {
        { "policy.list", run_list },
        { "policy.show", run_show },
        { "policy.check", run_check },
        { NULL, NULL },
};

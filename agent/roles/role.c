/*
 * role: checked by one JSON Schema, so that a fault has its path, and by the table of tools.
 */
#include "agent/roles/role.h"

#include <string.h>

#include "base/schema.h"

static const char role_schema[] =
        "{\"type\":\"object\",\"required\":[\"instructions\"],\"additionalProperties\":false,"
        "\"properties\":{"
        "\"warder\":{\"const\":\"role/1\"},"
        "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"
        "\"description\":{\"type\":\"string\"},"
        "\"instructions\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":65536},"
        "\"tier\":{\"enum\":[\"strong\",\"fast\"]},"
        "\"tools\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":64},"
        "\"output\":{\"type\":[\"object\",\"boolean\"]},"
        "\"max_turns\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000},"
        "\"guards\":" GUARD_RULES_SCHEMA ","
        "\"context\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
        "\"tokens\":{\"type\":\"integer\",\"minimum\":1000},"
        "\"success_lines\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000},"
        "\"failure_lines\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000}}}}}";

Role *role_free(Role *role) {
        if (role) {
                free(role->name);
                json_free(role->json);
                toolbox_free(role->tools);
        }
        free(role);
        return NULL;
}

static int check(const char *name, const cJSON *json, Error *err) {
        SCOPED(json_free) cJSON *schema = NULL;
        SchemaFault fault = { 0 };
        const char *own = json_text(json, "name");
        int r;

        r = json_parse(role_schema, strlen(role_schema), 0, &schema, err);
        if (r < 0)
                return error_add(err, r, "schema of roles");
        r = schema_check(schema, json, &fault);
        if (r < 0)
                return error_say(err, -EINVAL, "role %.64s: %s: %s", name,
                                 *fault.path ? fault.path : "the whole", fault.text);
        if (own && strcmp(own, name) != 0)
                return error_say(err, -EINVAL, "role %.64s: /name: it calls itself \"%.64s\"", name,
                                 own);
        r = json_get(json, "output") ? schema_check(json_get(json, "output"), json, &fault) : 0;
        if (r == -ENOTSUP)
                return error_say(err, -EINVAL, "role %.64s: /output is no JSON Schema: %s", name,
                                 fault.text);
        return 0;
}

static unsigned number_or(const cJSON *json, const char *name, unsigned otherwise) {
        uint64_t value;

        return json_number(json, name, &value) == 0 ? (unsigned) value : otherwise;
}

static void take_limits(Role *role) {
        const cJSON *context = json_get(role->json, "context");
        OutputRules rules = OUTPUT_RULES_DEFAULT;

        role->max_turns = number_or(role->json, "max_turns", ROLE_TURNS_DEFAULT);
        role->tokens = number_or(context, "tokens", ROLE_TOKENS_DEFAULT);
        rules.success_lines = number_or(context, "success_lines", rules.success_lines);
        rules.failure_lines = number_or(context, "failure_lines", rules.failure_lines);
        role->output_rules = rules;
}

int role_new(const char *name, const cJSON *json, Role **ret_role, Error *err) {
        SCOPED(role_free) Role *role = calloc(1, sizeof(*role));
        int r;

        if (!role)
                return error_set(err, -ENOMEM, "role %.64s", name);
        r = check(name, json, err);
        if (r < 0)
                return r;
        role->name = strdup(name);
        role->json = cJSON_Duplicate(json, true);
        if (!role->name || !role->json)
                return error_set(err, -ENOMEM, "role %.64s", name);
        role->instructions = json_text(role->json, "instructions");
        role->output = json_get(role->json, "output");
        take_limits(role);
        r = guard_rules_read(json_get(role->json, "guards"), &role->guards, err);
        if (r < 0)
                return error_add(err, r, "role %.64s", name);
        r = toolbox_new(json_get(role->json, "tools"), &role->tools, err);
        if (r < 0)
                return error_add(err, r, "role %.64s: /tools", name);
        role->may_edit = toolbox_has(role->tools, "edit") || toolbox_has(role->tools, "write");
        *ret_role = TAKE_PTR(role);
        return 0;
}

int roles_load(RoleSet *set, const cJSON *roles, Error *err) {
        const cJSON *json;

        *set = (RoleSet){ 0 };
        cJSON_ArrayForEach(json, roles) {
                int r;

                if (set->n == ROLES_MAX)
                        return error_say(err, -EINVAL, "a run has at most %d roles", ROLES_MAX);
                r = role_new(json->string, json, &set->items[set->n], err);
                if (r < 0)
                        return r;
                set->n++;
        }
        return 0;
}

void roles_deinit(RoleSet *set) {
        for (unsigned i = 0; i < set->n; i++)
                role_free(set->items[i]);
        *set = (RoleSet){ 0 };
}

Role *roles_find(const RoleSet *set, const char *name) {
        for (unsigned i = 0; i < set->n; i++)
                if (strcmp(set->items[i]->name, name) == 0)
                        return set->items[i];
        return NULL;
}

/*
 * fit-input: see fit-input.h. Only what can never be right is a fault: a member that is missing or too many, a literal
 * that does not fit, a plain path whose type is another.
 */
#include "agent/workflow/fit-input.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/call-step.h"
#include "base/schema.h"

/* One expression of "with" against the schema of what it becomes. */
static int check_value(const Fit *fit, unsigned number, const char *text, const cJSON *wanted,
                       const char *where, Error *err) {
        SCOPED(json_free) cJSON *literal = NULL;
        const cJSON *schema = NULL;
        SchemaFault fault = { 0 };
        int r;

        if (!cJSON_IsObject(wanted))
                return 0;
        if (json_parse(text, strlen(text), 0, &literal, NULL) == 0) {
                if (schema_check(wanted, literal, &fault) != -EINVAL)
                        return 0;
                return workflow_fault(err, where, "",
                                      "it does not fit the called workflow's input: %s",
                                      fault.text);
        }
        r = fit_schema(fit, number, where, &schema, err);
        if (r < 0 || !schema || fit_meet(schema, wanted))
                return r;
        return workflow_fault(err, where, "",
                              "`%.200s` is of another type than the called workflow's input", text);
}

static int check_required(const cJSON *input, const cJSON *with, const char *where, Error *err) {
        const cJSON *name;

        cJSON_ArrayForEach(name, json_get(input, "required")) {
                if (cJSON_IsString(name) && !json_get(with, name->valuestring))
                        return workflow_fault(err, where, "",
                                              "the called workflow's input needs \"%.64s\"",
                                              name->valuestring);
        }
        return 0;
}

static int check_members(const Fit *fit, const Step *step, const cJSON *input, const cJSON *with,
                         Error *err) {
        const cJSON *item, *properties = json_get(input, "properties");
        char where[WORKFLOW_PATH_MAX];
        int r;

        (void) snprintf(where, sizeof(where), "%s/with", step->where);
        r = check_required(input, with, where, err);
        cJSON_ArrayForEach(item, with) {
                const cJSON *wanted = json_get(properties, item->string);

                if (r < 0)
                        return r;
                (void) snprintf(where, sizeof(where), "%s/with/%.64s", step->where, item->string);
                if (!wanted && cJSON_IsFalse(json_get(input, "additionalProperties")) &&
                    !json_get(input, "patternProperties"))
                        return workflow_fault(err, where, "",
                                              "the called workflow's input has no such member");
                r = check_value(fit, mapping_expression(call_step_with(step), item->string),
                                item->valuestring, wanted, where, err);
        }
        return r;
}

int fit_input(const Fit *fit, const Step *step, Error *err) {
        const Workflow *called = call_step_called(step);
        const Mapping *mapping = call_step_with(step);
        const cJSON *with = json_get(step->json, "with");
        char where[WORKFLOW_PATH_MAX];

        if (!called || !mapping || !cJSON_IsObject(called->input))
                return 0;
        if (cJSON_IsObject(with))
                return check_members(fit, step, called->input, with, err);
        (void) snprintf(where, sizeof(where), "%s/with", step->where);
        return check_value(fit, mapping_expression(mapping, NULL), with->valuestring, called->input,
                           where, err);
}

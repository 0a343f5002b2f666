/*
 * first-state: see first-state.h. Only the properties of the root count: what lies deeper comes with the default
 * of the property that holds it.
 */
#include "agent/workflow/first-state.h"

#include <stdio.h>
#include <string.h>

#include "agent/workflow/workflow.h"
#include "base/schema.h"

int first_state_fill(const cJSON *schema, cJSON *state) {
        const cJSON *property;

        cJSON_ArrayForEach(property, json_get(schema, "properties")) {
                const cJSON *value = json_get(property, "default");

                if (value && !json_get(state, property->string) &&
                    !json_add_consume(state, property->string, cJSON_Duplicate(value, true)))
                        return -ENOMEM;
        }
        return 0;
}

/* Where in the schema what is at @path of the state comes from: "/n/p" is in the default of property n. */
static const char *find_place(const char *path, char *place, size_t size) {
        size_t member = *path ? 1 + strcspn(path + 1, "/") : 0;

        if (member == 0)
                (void) snprintf(place, size, "/state");
        else
                (void) snprintf(place, size, "/state/properties%.*s/default%s", (int) member, path,
                                path + member);
        return place;
}

int first_state_check(const cJSON *schema, Error *err) {
        SCOPED(json_free) cJSON *state = cJSON_CreateObject();
        char place[SCHEMA_PATH_MAX + sizeof("/state/properties/default")];
        SchemaFault fault = { 0 };

        if (!schema)
                return 0;
        if (!state || first_state_fill(schema, state) < 0)
                return error_set(err, -ENOMEM, "look at the workflow's state");
        if (schema_check(schema, state, &fault) != -EINVAL)
                return 0;
        return workflow_fault(err, find_place(fault.path, place, sizeof(place)), "", "%s%s",
                              fault.text,
                              *fault.path ? ""
                                          : ": before the first step the state holds the defaults "
                                            "of its properties, and nothing else");
}

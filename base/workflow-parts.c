/*
 * workflow-parts: a step that calls is an object with an id and the key "workflow", wherever it stands: this
 * file knows no kinds, the agent checks them all.
 */
#include "base/workflow-parts.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"

typedef struct Adding {
        cJSON *library;  /* borrowed from the workflow */
        cJSON *not_here; /* owned; names that were asked for in vain */
        WorkflowPartFn find;
        void *userdata;
} Adding;

bool workflow_part_is_name(const char *name) {
        const char *slash = strchr(name, '/');
        char first[80];

        if (!slash)
                return name_is_valid(name);
        (void) snprintf(first, sizeof(first), "%.*s", (int) (slash - name), name);
        return slash - name < (ptrdiff_t) sizeof(first) && name_is_valid(first) &&
               name_is_valid(slash + 1);
}

static int find_in(Adding *adding, const cJSON *json, Error *err);

static int find_part(Adding *adding, const char *name, Error *err) {
        SCOPED(json_free) cJSON *part = NULL;
        cJSON *added;
        int r;

        if (!workflow_part_is_name(name) || json_get(adding->library, name) ||
            json_get(adding->not_here, name))
                return 0;
        if (cJSON_GetArraySize(adding->library) >= WORKFLOW_PARTS_MAX)
                return error_say(err, -E2BIG, "a workflow calls at most %d others",
                                 WORKFLOW_PARTS_MAX);
        r = adding->find(name, adding->userdata, &part, err);
        if (r < 0)
                return r;
        if (r == WORKFLOW_PART_E_ELSEWHERE)
                return json_add_bool(adding->not_here, name, true) ? 0 : -ENOMEM;
        added = json_add_consume(adding->library, name, TAKE_PTR(part));
        return added ? find_in(adding, added, err) : error_set(err, -ENOMEM, "workflow %s", name);
}

/* JSON of ours is never deeper than JSON_DEPTH_MAX, and neither are calls than there are parts. */
static int find_in(Adding *adding, const cJSON *json, Error *err) {
        const char *name = json_text(json, "id") ? json_text(json, "workflow") : NULL;
        const cJSON *item;
        int r = name ? find_part(adding, name, err) : 0;

        cJSON_ArrayForEach(item, json) {
                if (r >= 0 && (cJSON_IsObject(item) || cJSON_IsArray(item)) &&
                    item != adding->library)
                        r = find_in(adding, item, err);
        }
        return r;
}

int workflow_parts_add(cJSON *workflow, WorkflowPartFn find, void *userdata, Error *err) {
        SCOPED(json_free) cJSON *found = cJSON_CreateObject(), *not_here = cJSON_CreateObject();
        cJSON *own = json_get(workflow, "workflows");
        Adding adding = { own ? own : found, not_here, find, userdata };
        int r;

        if (!found || !not_here)
                return error_set(err, -ENOMEM, "take in the workflows that are called");
        r = find_in(&adding, workflow, err);
        for (const cJSON *part = own ? own->child : NULL; r >= 0 && part; part = part->next)
                r = find_in(&adding, part, err);
        if (r < 0 || own || cJSON_GetArraySize(found) == 0)
                return r;
        return json_add_consume(workflow, "workflows", TAKE_PTR(found))
                       ? 0
                       : error_set(err, -ENOMEM, "take in the workflows that are called");
}

const char *workflow_parts_model_step(const cJSON *workflow) {
        const char *id = json_text(workflow, "id");
        const cJSON *item;

        if (id &&
            (json_text(workflow, "agent") || cJSON_IsArray(json_get(workflow, "command-agent"))))
                return id;
        cJSON_ArrayForEach(item, workflow) {
                const char *inner = cJSON_IsObject(item) || cJSON_IsArray(item)
                                            ? workflow_parts_model_step(item)
                                            : NULL;

                if (inner)
                        return inner;
        }
        return NULL;
}

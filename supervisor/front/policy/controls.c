/*
 * controls: see controls.h.
 */
#include "supervisor/front/policy/controls.h"

#include "supervisor/front/front.h"

cJSON *controls_describe(const FrontJail *jail) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        const FrontInfo *info = &front_jail_front(jail)->info;
        const Plan *plan = front_jail_plan(jail);
        cJSON *filters;

        json_add_number(json, "landlock", info->landlock_abi);
        filters = json_add_array(json, "seccomp");
        json_push_text(filters, "floor");
        json_push_text(filters, front_jail_policy(jail));
        json_add_text(json, "cgroup", info->cgroup_mode == CGROUP_V2 ? "v2" : "hybrid");
        json_add_text(json, "proc", plan->flags & PLAN_PROC_PID ? "pid" : "masked");
        json_add_text(json, "root", plan->flags & PLAN_HOST_ROOT ? "host" : "snapshot");
        json_add_number(json, "ids", JAIL_IDS);
        return filters ? TAKE_PTR(json) : NULL;
}

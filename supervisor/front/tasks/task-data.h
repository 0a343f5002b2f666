#pragma once
/*
 * task-data: the roles and workflows that come with warder, read from the data directory. They are handed to
 * the agent as they are; the front only looks at their names.
 */
#include "supervisor/front/front.h"

/** task_data_workflow() - by name. Returns: 0 and a fresh object; -ENOENT, -EINVAL with a sentence */
int task_data_workflow(Front *front, const char *name, cJSON **ret, Error *err);
/** task_data_parts() - put the shipped workflows that @workflow calls, and lacks, into it. Returns: 0 or negative errno */
int task_data_parts(Front *front, cJSON *workflow, Error *err);
/** task_data_roles() - all of them, as an object of name to role, fresh */
int task_data_roles(Front *front, cJSON **ret, Error *err);

#pragma once
/*
 * step-keys: what a step of any kind may have: retry, timeout, require, set, effects.
 */
#include "agent/workflow/workflow.h"

/** step_keys_take() - is @key one of them (or id, or output) */
bool step_keys_take(const char *key);

/**
 * step_keys_load_before() - retry, timeout and effects; set and require see the step's own output and are loaded last
 * Returns: 0, -EINVAL with the path.
 */
int step_keys_load_before(const cJSON *json, const char *path, Step *step, Error *err);

/** step_keys_load_after() - require and set. Returns: 0, -EINVAL with the path, -ENOMEM */
int step_keys_load_after(Loader *loader, const cJSON *json, const char *path, Step *step,
                         Error *err);

#pragma once
/*
 * workflow-check: what warder-agent says of a workflow. It alone knows the kinds of steps, so it is asked, as a
 * program of its own that reads the workflow behind a filter.
 */
#include "base/json.h"

/**
 * workflow_check() - run "warder-agent --check"
 * @asked: {"workflow", "roles"}
 *
 * Returns: 0 with {"good", "fault" or "tree"}, owned by the caller; negative errno where it could not be asked.
 */
int workflow_check(const cJSON *asked, cJSON **ret, Error *err);

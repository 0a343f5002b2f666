#pragma once
/*
 * workflow-parts: a workflow calls others by name; whoever hands it on puts them in, under "workflows", so that
 * what runs is one document with one digest. The command adds files that lie beside the workflow's, the front
 * those that are shipped.
 */
#include "base/json.h"

#define WORKFLOW_PARTS_MAX 64

enum { _WORKFLOW_PART_E_SUCCESS, WORKFLOW_PART_E_ELSEWHERE };

/**
 * WorkflowPartFn - find the workflow @name ("test", "steps/test"), a fresh object
 * Returns: 0, WORKFLOW_PART_E_ELSEWHERE: not here, or negative errno.
 */
typedef int (*WorkflowPartFn)(const char *name, void *userdata, cJSON **ret, Error *err);

/** workflow_part_is_name() - one or two names as of a snapshot, with "/" between */
bool workflow_part_is_name(const char *name);

/**
 * workflow_parts_add() - ask @find for every workflow that a step of @workflow names and that is not there yet,
 * and for those that these name
 *
 * Returns: 0 (also where some are elsewhere), -E2BIG above WORKFLOW_PARTS_MAX, or what @find returned.
 */
int workflow_parts_add(cJSON *workflow, WorkflowPartFn find, void *userdata, Error *err);

/**
 * workflow_parts_model_step() - the first step, of @workflow or of one that it holds, which asks a model
 * Returns: its id, borrowed; NULL: none does.
 */
const char *workflow_parts_model_step(const cJSON *workflow);

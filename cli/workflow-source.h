#pragma once
/*
 * workflow-source: a workflow by a name (one that is shipped) or by a file of the caller's, with the files
 * beside it that its steps call.
 */
#include "base/json.h"

#define WORKFLOW_FILE_MAX (1u << 20)

/**
 * workflow_source_file() - a file of the caller's; where a step calls NAME and NAME.json lies beside it (or in
 * its directory "steps" for steps/NAME), it is put in
 *
 * Returns: 0 with a fresh @ret, or negative errno.
 */
int workflow_source_file(const char *path, cJSON **ret, Error *err);

/**
 * workflow_source_all() - the same for a file or a shipped name, with the shipped ones that are called, and all
 * roles that are shipped: {"workflow", "roles"}
 */
int workflow_source_all(const char *name, cJSON **ret, Error *err);

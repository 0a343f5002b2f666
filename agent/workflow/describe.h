#pragma once
/*
 * describe: a checked workflow as a tree for people: what `warder workflow` draws. Whoever draws it knows no
 * kinds.
 */
#include "agent/workflow/workflow.h"

/**
 * describe_workflow() - {name, description?, steps: [STEP…], finally?: [STEP…]}, where a STEP is {id, kind, text,
 * notes?: [text…], steps?: [STEP…], arms?: [{text?, steps: [STEP…]}…], beside?: true, calls?: {as the whole}}
 *
 * "beside": the arms run at once; else one of them is chosen.
 *
 * Returns: owned by the caller; without memory some of it is missing, or NULL.
 */
cJSON *describe_workflow(const Workflow *workflow);

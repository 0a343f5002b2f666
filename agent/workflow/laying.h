#pragma once
/*
 * laying: what a merge gives comes into a workspace, whole or not at all. The supervisor only works a merge out
 * (warder-agent(7), method merge); how it gets into the jail is a matter of the task's own requests.
 */
#include "agent/workflow/workspace.h"

/**
 * laying_lay() - make the changes in @fork; 0: in the task's own workspace
 *
 * Neither a time limit nor the end of the step stops it half way; who waits next notices them. Where it fails, the
 * workspace is as it was; where even that cannot be had, engine->run->torn is set, and nothing is tried again.
 *
 * Returns: 0 or negative errno with the cause set.
 */
int laying_lay(Engine *engine, const Merging *merging, uint64_t fork, Error *err);

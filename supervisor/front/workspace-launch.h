#pragma once
/*
 * workspace-launch: the jail of a workspace. Whatever its owner was allowed when it was made counts no more:
 * policy, ceilings, quotas and the host's room are asked anew at each start.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails.h"
#include "supervisor/front/workspaces.h"

/** LaunchFn - once: the jail, ready, or the reason why there is none (then @jail is NULL) */
typedef void (*LaunchFn)(FrontJail *jail, const Error *err, void *userdata);

/**
 * workspace_launch() - start it
 * @call:     of its owner; it stays the caller's to answer, and gets what call_refuse() is to say
 * @promised: bytes that disks of running workspaces may still take of the host
 *
 * Returns: 0 and @done will be called; negative errno: it will not.
 */
int workspace_launch(Front *front, const Workspace *workspace, Call *call, uint64_t promised,
                     LaunchFn done, void *userdata, Error *err);

/** workspace_promise() - bytes that a disk may still take of the host */
uint64_t workspace_promise(const Workspace *workspace);

/** workspace_check_room() - has the host's disk room for @promised and @more. Returns: 0 or -ENOSPC */
int workspace_check_room(Front *front, uint64_t promised, uint64_t more, Error *err);

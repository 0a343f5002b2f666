#pragma once
/*
 * workspace-launch: the jail of a workspace. Whatever its owner was allowed when it was made counts no more:
 * policy, ceilings and quotas are asked anew at each start, as the host's room is (workspace-disk.h).
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/workspaces/workspaces.h"

typedef struct Launch Launch; /* a jail of a workspace on its way */

/** LaunchFn - once: the jail, ready, or the reason why there is none (then @jail is NULL) */
typedef void (*LaunchFn)(FrontJail *jail, const Error *err, void *userdata);

typedef struct LaunchSpec {
        Call *call; /* of its owner; it stays the caller's to answer, and gets what call_refuse() is to say */
        bool charged; /* workspace_may_launch() was asked for this one */
        LaunchFn done;
        void *userdata;
} LaunchSpec;

/**
 * workspace_may_launch() - would one that is not there yet be started, with what it is @asked with; charges a create
 *
 * Returns: 0, or negative errno after call_refuse().
 */
int workspace_may_launch(Front *front, const Workspace *workspace, const cJSON *asked, Call *call,
                         Error *err);

/**
 * workspace_launch() - start it; that there is room for its disk is known
 * @ret: good until done()
 *
 * Returns: 0 and done() will be called, from the loop; negative errno: it will not.
 */
int workspace_launch(Front *front, const Workspace *workspace, const LaunchSpec *spec, Launch **ret,
                     Error *err);
/** launch_cancel() - one that waits for its turn goes, and done() is not called. Returns: did it wait */
bool launch_cancel(Launch *launch);

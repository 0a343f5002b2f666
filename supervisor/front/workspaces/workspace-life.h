#pragma once
/*
 * workspace-life: which workspaces run, and who waits for one to run, to stop or to be gone. What time does to
 * them is workspace-time.h's, their disks are workspace-disk.h's.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/workspaces/workspaces.h"

typedef struct WorkspaceRun {
        Call *call;        /* of the owner; answered by us */
        const cJSON *exec; /* EXEC, copied; NULL: it only is to run */
        bool stays; /* it goes on running when the command has ended, if it did not run before */
        const cJSON *
                fresh; /* what it is asked with, of one that is not there yet: it is made; else NULL */
} WorkspaceRun;

/** workspace_run() - start it if it does not run, then do what is asked. Always answers run->call, now or later */
void workspace_run(Front *front, const Workspace *workspace, const WorkspaceRun *run);

/** workspace_stop() - end its jail; @call is answered when nothing of that is left */
void workspace_stop(Front *front, const Workspace *workspace, Call *call);

/** workspace_remove() - end its jail and remove its disk; @call is answered when it is gone */
void workspace_remove(Front *front, const Workspace *workspace, Call *call);

/** workspace_jail() - its jail; NULL: it does not run */
FrontJail *workspace_jail(Front *front, const char *id);

/** workspace_of_jail() - the workspace that runs as this jail, borrowed; NULL: none */
const Workspace *workspace_of_jail(Front *front, const FrontJail *jail);

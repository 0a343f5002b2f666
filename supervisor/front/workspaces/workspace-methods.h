#pragma once
/*
 * workspace-methods: jail.start and jail.stop, and what other methods of jails do where a jail is persistent.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/paging.h"
#include "supervisor/front/workspaces/workspaces.h"

extern const MethodRow workspace_methods[];

/** workspace_create() - jail.create with "persistent". Answers the call later. Returns: 0 or negative errno: refused */
int workspace_create(Front *front, Call *call, const cJSON *params, Error *err);

/**
 * workspace_take() - the workspace that a caller means
 * @text: the id of its jail; or its name, of the caller's own
 *
 * Returns: 0 or -ENOENT.
 */
int workspace_take(Front *front, Call *call, const char *text, Workspace *ret);

/** workspace_describe() - one that does not run, as an entry of jail.list, fresh; NULL: no memory */
cJSON *workspace_describe(const Workspace *workspace);

/** workspace_describe_more() - "workspace" of one that runs, added to its entry */
void workspace_describe_more(Front *front, const FrontJail *jail, cJSON *json);

/** workspaces_list() - push those of the caller that do not run to @page's list */
int workspaces_list(Front *front, Call *call, const PageList *page, Error *err);

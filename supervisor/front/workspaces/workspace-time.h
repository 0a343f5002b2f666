#pragma once
/*
 * workspace-time: what time does to workspaces, and what a front finds of them at its start.
 */
#include "supervisor/front/workspaces/workspace-live.h"

/** workspaces_new() - what a front that died left half made or half removed goes */
int workspaces_new(Front *front, Workspaces **ret, Error *err);
/** workspaces_free() - their jails have ended. NULL is fine. Returns: NULL */
Workspaces *workspaces_free(Workspaces *workspaces);

/** live_watch_idle() - it runs: stop it when nothing has run in it for long */
void live_watch_idle(Live *live);
/** workspaces_arm_ttl() - one was stopped, made or removed: look anew whose time ends next */
void workspaces_arm_ttl(Workspaces *workspaces);

#pragma once
/*
 * workspace-disk: what the monitor does with the disks of workspaces, and whether the host's disk has room for them.
 */
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/workspaces/workspace-live.h"

#define ROOM_E_LOOKS 1

/** disk_ask() - MAKE, SHOW or REMOVE one. Returns: 0 and @done will be called; negative errno: it will not */
int disk_ask(Front *front, RequestKind kind, const Workspace *workspace, MonitorReplyFn done,
             void *userdata, Error *err);
/** disk_look() - have ledger and Live learn what one takes */
void disk_look(Front *front, const Workspace *workspace);

/**
 * live_find_room() - has the host's disk room for all that this one and those that run may still take
 *
 * Where even their whole sizes fit, nobody is asked. Else each disk is looked at first: what one took or gave back since the
 * last look makes the sum wrong either way.
 *
 * Returns: 0; -ENOSPC; ROOM_E_LOOKS: live_looked() will be called, @live is LOOKING until then.
 */
int live_find_room(Live *live, Error *err);
/** live_check_room() - with what is known now. Returns: 0 or -ENOSPC */
int live_check_room(const Live *live, Error *err);

/** live_remove() - its disk, then its row, then itself; those that wait are answered */
void live_remove(Live *live);

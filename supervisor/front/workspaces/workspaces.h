#pragma once
/*
 * workspaces: the ledger's rows of persistent jails: whose each is, what it stands on, where its disk is, what
 * it was asked with. What runs is workspace-life.h's, what has to happen when workspace-time.h's.
 *
 *   MAKING    written down before its disk is asked for: what a front that died leaves so, goes
 *   THERE     its disk is complete
 *   REMOVING  written down before its disk is removed: what a front that died leaves so, goes
 */
#include "base/ids.h"
#include "supervisor/front/front.h"
#include "supervisor/front/store/snapshots.h"

#define WORKSPACES_PER_UID_MAX   256
#define WORKSPACE_NAME_MAX       33 /* with its NUL */
#define WORKSPACE_DISK_OTHERWISE (10ull << 30)

typedef enum WorkspaceState {
        WORKSPACE_MAKING = 0,
        WORKSPACE_THERE,
        WORKSPACE_REMOVING,
} WorkspaceState;

typedef struct Workspace {
        int64_t row;     /* of the ledger: places in lists */
        char id[ID_MAX]; /* of its jail, whenever that runs: "j-…" */
        char name[WORKSPACE_NAME_MAX];
        uint32_t owner_uid;
        WorkspaceState state;
        uint64_t disk;         /* number of its disk, never 0 */
        uint64_t bytes;        /* that the disk holds at most */
        uint64_t taken;        /* that its image took of the host, when that was last looked at */
        SnapshotInfo snapshot; /* name and layers as they were */
        uint64_t created_usec;
        uint64_t used_usec; /* last started, or stopped */
        uint64_t idle_usec; /* stopped after so long without a command; 0: never */
        uint64_t ttl_usec;  /* removed after so long without being used; 0: never */
} Workspace;

/** workspace_name_check() - [a-z0-9][a-z0-9._-]{0,31}, and not like the id of a jail. Returns: 0 or -EINVAL */
int workspace_name_check(const char *name, Error *err);

/** workspaces_find() - the one of @uid. Returns: 0, or -ENOENT with a sentence */
int workspaces_find(Front *front, uint32_t uid, const char *name, Workspace *ret, Error *err);
/** workspaces_find_id() - by the id of its jail, as @uid may see it (0: all). Returns: likewise */
int workspaces_find_id(Front *front, const char *id, uint32_t uid, Workspace *ret, Error *err);
/** workspaces_asked() - what it was asked with: "policy", "limits", "hostname", "user", "image". Owned by the caller */
cJSON *workspaces_asked(Front *front, const Workspace *workspace);

/** WorkspaceFn - @workspace is borrowed for the call */
typedef void (*WorkspaceFn)(const Workspace *workspace, void *userdata);
/** workspaces_each() - all of @uid (0: all users'), as they came */
int workspaces_each(Front *front, uint32_t uid, WorkspaceFn each, void *userdata, Error *err);

/** workspaces_count() - how many a user has */
uint64_t workspaces_count(Front *front, uint32_t uid);
/** workspaces_disk() - bytes that they may hold together */
uint64_t workspaces_disk(Front *front, uint32_t uid);
/** workspaces_check_quota() - would @bytes more be below the ceilings of @uid; @is_new: and one more. Returns: 0 or -EDQUOT */
int workspaces_check_quota(Front *front, uint32_t uid, uint64_t bytes, bool is_new, Error *err);

/** workspaces_add() - as MAKING, on disk when it returns; holds its layers. Returns: 0, -EEXIST, … */
int workspaces_add(Front *front, const Workspace *workspace, const cJSON *asked, Error *err);
/** workspaces_set_state() - on disk when it returns */
int workspaces_set_state(Front *front, const char *id, WorkspaceState state, Error *err);
/** workspaces_set_taken() */
void workspaces_set_taken(Front *front, const char *id, uint64_t taken);
/** workspaces_set_used() - now; @running: and until somebody says that it is not any more, supervisors that died included */
int workspaces_set_used(Front *front, const char *id, bool running, Error *err);
/** workspaces_all_stopped() - at the start of a front: those that ran are used until now */
int workspaces_all_stopped(Front *front, Error *err);
/** workspaces_forget() - its row, and let go of its layers */
int workspaces_forget(Front *front, const Workspace *workspace, Error *err);
/** workspaces_next_end() - when the time of the first runs out, in microseconds; UINT64_MAX: of none */
uint64_t workspaces_next_end(Front *front);

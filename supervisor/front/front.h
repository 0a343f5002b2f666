#pragma once
/*
 * Front: the Manager of warder-front; it owns everything. One sd_event loop in one thread (beside it that of audit.h, and children of closer.h); no call blocks.
 * What takes time answers through a callback that is called exactly once, from the loop, never from
 * within the call that started it.
 */
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/handles.h"
#include "base/json.h"
#include "base/rpc.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/wire.h"

typedef struct Client Client;             /* clients.h: a connection and its uid */
typedef struct FrontJail FrontJail;       /* jails.h */
typedef struct Command Command;           /* commands.h */
typedef struct FilesJob FilesJob;         /* filesjob.h */
typedef struct Monitor Monitor;           /* monitor-link.h: requests to the monitor */
typedef struct Snapshots Snapshots;       /* snapshots.h */
typedef struct Policies Policies;         /* policies.h */
typedef struct Tasks Tasks;               /* tasks.h */
typedef struct Waiting Waiting;           /* waiting.h: who waits for people */
typedef struct Ledger Ledger;             /* ledger.h: SQLite */
typedef struct Methods Methods;           /* methods.h: the table of methods */
typedef struct CeilingsFile CeilingsFile; /* ceilings-file.h: the ceilings in force */
typedef struct Accounts Accounts;         /* accounts.h: what each user has */
typedef struct Pressure Pressure;         /* pressure.h: how hard the host works */
typedef struct Uncounted Uncounted;       /* uncounted.h: memory that no group is charged with */
typedef struct Pools Pools;               /* pools.h: jails made ahead */
typedef struct Turns Turns;               /* turns.h: who waits for room on the host */
typedef struct Closer Closer;             /* closer.h: closes what may keep us waiting */
typedef struct Notary Notary;             /* notary-link.h: signs the heads of receipts */
typedef struct AfterEnd AfterEnd;         /* after-end.h: who waits until a task is gone */
typedef struct JailLog JailLog;           /* jail-log.h: what happens to jails */
typedef struct Audit Audit;               /* audit.h: whom a seccomp filter killed */
typedef struct Workspaces Workspaces;     /* workspace-life.h: persistent jails */

typedef struct Front {
        sd_event *event; /* owned, like all below */
        FrontInfo info;
        Monitor *monitor;
        Ledger *ledger;
        Policies *policies;
        Snapshots *snapshots;
        Tasks *tasks;
        Workspaces *workspaces;
        Waiting *waiting;
        Methods *methods;
        CeilingsFile *ceilings;
        Accounts *accounts;
        Pressure *pressure;
        Turns *turns;
        Pools *pools;
        Uncounted *uncounted;
        Closer *closer;
        Audit *audit;
        JailLog *jail_log;
        Notary *notary;
        AfterEnd *after_end;                 /* list */
        struct FrontJail *jails;             /* list, newest first */
        Handles jails_by_id;                 /* the same, by id_number() */
        Handles jails_by_handle;             /* and those that the monitor has answered for */
        struct Client *clients;              /* list */
        struct StatsWatcher *stats_watchers; /* list: jail-stats.h */
        struct ResultsJob *ahead;            /* list: results-job.h */
        sd_event_source *listen;
        sd_event_source *listen_again; /* while no descriptor is left for another client */
        sd_event_source *idle;         /* private: ends the front when nobody needs it */
        sd_event_source *egress;
        int listen_fd;
        int state_fd;
        int data_fd;
        int config_fd;   /* the administrator's directory; -EBADF: none */
        int files_fd;    /* the warder-files binary */
        int agent_fd;    /* the warder-agent binary; -EBADF: not installed */
        int egress_fd;   /* -EBADF too while another one is being started */
        bool has_egress; /* its program is installed */
        ClientFdPipes pipes;
        int etc_fd;         /* /etc, for subuid; -EBADF: not there */
        int layers_fd;      /* the store's directory of layers, for its names; -EBADF: not there */
        uint64_t next_id;   /* of commands and calls at init, never reused */
        uint64_t next_jail; /* likewise, the order in which jails were asked for */
        struct {
                uint64_t asked; /* jails that were made, in pools too */
                uint64_t ready; /* of them: the monitor had a shell ready */
        } shells;
        unsigned jobs;    /* runs of warder-files that must end before an idle front may */
        unsigned imports; /* of layers, under way */
        struct Importing *importing; /* list, of snapshot-import.c: those that others may follow */
        bool sweep_later; /* a layer could not be removed yet: try again when a jail has ended */
        sd_event_source *sweep_timer; /* owned: or then, whoever ends */
        uint64_t sweep_wait_usec;
        struct Unreleased *unreleased; /* of layers.c */
        struct DamagedLayer *damaged;  /* of layer-records.c */
        struct Collection
                *collection; /* of layers.c: who waits for what is removed; NULL: nobody */
        unsigned removals;   /* of layers that the monitor has not answered */
        bool had_client;
} Front;

/**
 * front_start() - take the descriptors of FrontFd and set up all modules
 * @notary_fd: of notary_start(), consumed; negative: there is none
 *
 * Returns: 0 or negative errno
 */
int front_start(Front *front, int notary_fd, Error *err);
/** front_stop() - release everything; fine on a half-started one */
void front_stop(Front *front);

/** front_touch() - somebody came or went: look again whether a private front is still needed */
void front_touch(Front *front);

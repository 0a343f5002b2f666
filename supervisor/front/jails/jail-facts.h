#pragma once
/*
 * jail-facts: what a FrontJail consists of, for the two files that are its module: jails.c, its life, and jail-facts.c, what
 * others may know of it (declared in jails.h).
 */
#include "supervisor/front/commands/background.h"
#include "supervisor/front/commands/slots.h"
#include "supervisor/front/jails/init-link.h"
#include "supervisor/front/jails/jail-image.h"
#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/store/snapshots.h"

typedef struct Gone Gone; /* somebody waits for the end */

typedef struct DirId { /* what a directory is known by while the host runs */
        uint32_t major, minor;
        uint64_t ino;
} DirId;

struct Gone {
        Gone *next;
        JailGoneFn gone;
        void *userdata;
};

struct FrontJail {
        Front *front;           /* borrowed, outlives us */
        FrontJail *prev, *next; /* in front->jails */
        HandleLink by_id, by_handle;
        char id[ID_MAX];
        FrontJailState state;
        bool end_wanted;          /* while MAKING */
        uint64_t handle;          /* the monitor's */
        uint32_t id_base;         /* likewise; 0 while MAKING */
        JailBook *book;           /* owned */
        struct AuditRing *audit;  /* owned */
        Backgrounds *backgrounds; /* owned; NULL: none yet */
        int fds[_JAIL_FD_MAX];    /* owned; slots' and init's went to their modules */
        InitLink *init;
        Slots *slots;
        Command *commands;
        Gone *gones; /* owned */
        sd_event_source *wall;
        uint64_t wall_left_usec; /* while it stands still; else 0 */
        Client *client;          /* borrowed; NULL: kept, or gone */
        bool keep;
        JailReadyFn ready;
        void *userdata;
        Plan plan;
        JailLimits limits;
        char snapshot[SNAPSHOT_REF_MAX];
        cJSON *image;       /* owned; NULL: none */
        char **environment; /* owned, with the image's; NULL: the default one */
        char policy[72];
        PolicyUse use;
        DirId dir; /* of the caller's directory; all zeroes: none */
        bool listed;
        bool ahead;     /* nobody's yet */
        bool charged;   /* with limits.plan, to the owner */
        bool off_quota; /* quota_end_jail() was called */
        int conn; /* owned, while the monitor has the caller's connection: theirs is not the last */
        uint32_t owner_uid;
        uint64_t created_usec;
        uint64_t used_usec; /* monotonic */
        uint64_t oom_kills; /* this and the next: once it ended */
        bool gave_up;
};

/** jail_dir_id() - of the directory that @fd is; all zeroes: it cannot be known */
DirId jail_dir_id(int fd);
/** jail_state_name() - "making", "ready", "ending" */
const char *jail_state_name(FrontJailState state);

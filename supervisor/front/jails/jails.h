#pragma once
/*
 * jails: jails as the front knows them: who owns one, what runs in it, when it ends.
 *
 *   MAKING   asked for; the monitor has not answered. Only front_jail_end() may be called
 *   READY    commands can be started, files opened
 *   ENDING   the monitor is ending it, or init is dead; no new commands. Freed when nothing is left
 */
#include "supervisor/front/jails/jail-book.h"
#include "supervisor/front/jails/jail-calls.h"
#include "supervisor/front/jails/plans.h"
#include "supervisor/front/policy/policies.h"

typedef enum FrontJailState {
        FRONT_JAIL_MAKING,
        FRONT_JAIL_READY,
        FRONT_JAIL_ENDING,
        _FRONT_JAIL_STATE_MAX
} FrontJailState;

#define FRONT_JAILS_MAX         1024            /* alive at once */
#define FRONT_JAILS_PER_UID_MAX FRONT_JAILS_MAX /* ceilings say less: 32 where no file does */

typedef struct JailSpec { /* all borrowed for the call */
        Plan plan;        /* views, layers, flags, ids, limits filled; n_fds counts filter + fds */
        const int *fds;   /* of LAYER_DIR layers, as plan.layers[].fd - 1 indexes them */
        unsigned n_fds;
        int filter_fd; /* policy_filter() */
        JailLimits limits;
        const char *snapshot; /* for show */
        const cJSON *image; /* snapshots_config(): how it wants to be run; NULL: it does not say */
        const char *policy;
        const PolicyUse *use; /* NULL: the policy of that name */
        uint32_t owner_uid;
        Client *client; /* ends with it; NULL: kept */
        const char *id; /* of a workspace, which keeps it; NULL: a new one */
        bool listed;    /* a client's own: jail.list shows it, jail.exec and the like reach it */
        bool ahead;     /* made for nobody yet: no clock runs before front_jail_adopt() */
        bool reads_damaged; /* layers that were found damaged may be looked at, and are not run */
} JailSpec;

/** JailReadyFn - once: @err NULL and the jail is ready, or the reason it could not be made (then it is gone) */
typedef void (*JailReadyFn)(FrontJail *jail, const Error *err, void *userdata);
/** JailGoneFn - once: nothing of the jail is left */
typedef void (*JailGoneFn)(void *userdata);

/** front_jail_new() - ask for a jail. Returns: 0 and @ready will be called; negative errno: it will not */
int front_jail_new(Front *front, const JailSpec *spec, JailReadyFn ready, void *userdata,
                   FrontJail **ret, Error *err);

/** front_jail_end() - end all of it; @gone may be NULL. Its commands end with cause jail_ended first */
void front_jail_end(FrontJail *jail, JailGoneFn gone, void *userdata);

/**
 * front_jail_adopt() - a jail that was made ahead and is READY is somebody's from now on
 * @client: it ends with that one; NULL: it is kept
 *
 * It is listed, and its time and its wall limit begin now. Returns: 0 or negative errno, and it is as it was.
 */
int front_jail_adopt(FrontJail *jail, Client *client, Error *err);

/** front_jail_watch() - be told of its end without asking for it. Returns: 0 or -ENOMEM */
int front_jail_watch(FrontJail *jail, JailGoneFn gone, void *userdata);

/** front_jail_unwatch() - not any more; unknown pairs are fine */
void front_jail_unwatch(FrontJail *jail, JailGoneFn gone, void *userdata);

/** front_jail_ended() - the monitor says: nothing of the jail with that handle is left; for monitor-link.c */
void front_jail_ended(Front *front, const MonitorReply *event);

/** front_jails_free_all() - at the end of the front: its commands end. The monitor ends the jails themselves */
void front_jails_free_all(Front *front);

/** front_jail_find() - by "j-…" as @uid may see it (0 and admins: all); NULL */
FrontJail *front_jail_find(Front *front, const char *id, uint32_t uid);
/** front_jail_by_handle() - that very jail, READY; NULL: it has ended, whatever has its name now */
FrontJail *front_jail_by_handle(Front *front, uint64_t handle);
/** front_jail_id() - "j-…", borrowed */
const char *front_jail_id(const FrontJail *jail);
/** front_jail_state() */
FrontJailState front_jail_state(const FrontJail *jail);
/** front_jail_handle() - the monitor's handle: for LAYER_UPPER of another plan, and UPPER_DROP */
uint64_t front_jail_handle(const FrontJail *jail);
/** front_jail_limits() - borrowed */
const JailLimits *front_jail_limits(const FrontJail *jail);
/** front_jail_plan() - as it was asked for, borrowed */
const Plan *front_jail_plan(const FrontJail *jail);
/** front_jail_image() - as JailSpec's, borrowed; NULL: none */
const cJSON *front_jail_image(const FrontJail *jail);
/** front_jail_environment() - what a command gets that asks for nothing, borrowed */
const char *const *front_jail_environment(const FrontJail *jail);
/** front_jail_policy() - name of its policy, borrowed */
const char *front_jail_policy(const FrontJail *jail);
/** front_jail_use() - what was taken of its policy, for policies_hold(), borrowed */
const PolicyUse *front_jail_use(const FrontJail *jail);
/** front_jail_snapshot() - as it was named, borrowed */
const char *front_jail_snapshot(const FrontJail *jail);
/** front_jail_shows() - is @fd the very directory of a caller that it was made to show */
bool front_jail_shows(const FrontJail *jail, int fd);
/** front_jail_touch() - something is done in it: a command begins or ends, a file is opened */
void front_jail_touch(FrontJail *jail);
/** front_jail_used() - when that was, in monotonic microseconds */
uint64_t front_jail_used(const FrontJail *jail);
/** front_jail_describe() - one entry of jail.list, fresh; NULL: no memory */
cJSON *front_jail_describe(const FrontJail *jail);
/** front_jail_head() - what of that entry costs no look at the kernel's counters, fresh; NULL: no memory */
cJSON *front_jail_head(const FrontJail *jail);
/** front_jail_created() - microseconds since 1970 */
uint64_t front_jail_created(const FrontJail *jail);
/** front_jail_wall_left() - until its wall limit ends it. Returns: has it one */
bool front_jail_wall_left(const FrontJail *jail, uint64_t *ret_usec);
/** front_jail_first_command() - the newest of its commands; NULL: none runs */
const Command *front_jail_first_command(const FrontJail *jail);
/** front_jail_is_listed() - as JailSpec's */
bool front_jail_is_listed(const FrontJail *jail);
/** front_jail_owner() - user id of who asked for it */
uint32_t front_jail_owner(const FrontJail *jail);
/** front_jail_next() - the next of front->jails, NULL at the end */
FrontJail *front_jail_next(const FrontJail *jail);

/*
 * For commands.c and jail-calls.c, of a jail that is READY; all borrowed.
 */
/** front_jail_front() - its Front */
Front *front_jail_front(const FrontJail *jail);
/** front_jail_init() - the link to its init */
struct InitLink *front_jail_init(const FrontJail *jail);
/** front_jail_slots() - its command groups */
struct Slots *front_jail_slots(const FrontJail *jail);
/** front_jail_fd() - one of the monitor's descriptors, -EBADF where it is missing */
int front_jail_fd(const FrontJail *jail, JailFd which);
/**
 * front_jail_group_open() - a file of the group that all its commands are in, for reading
 * @jail: READY
 * @file: "cpu.stat", "cgroup.events", "memory.pressure", …: a name, no path
 *
 * For what is seldom asked: a descriptor kept for each such file of each jail would bound how many jails fit.
 *
 * Returns: a descriptor, owned by the caller, or negative errno (-ENOENT: this kernel has no such file).
 */
int front_jail_group_open(const FrontJail *jail, const char *file);
/** front_jail_cpu_usec() - processor time of all its commands so far; negative errno, and the output as it was */
int front_jail_cpu_usec(const FrontJail *jail, uint64_t *ret_usec);
/** front_jail_id_base() - first host id of its range; 0: not known yet */
uint32_t front_jail_id_base(const FrontJail *jail);
/** front_jail_book() - what is kept of it for those who look at it */
JailBook *front_jail_book(const FrontJail *jail);
/** front_jail_still() - of its book */
JailStill *front_jail_still(const FrontJail *jail);
/** front_jail_audit() - where audit.c keeps the records of its processes */
struct AuditRing **front_jail_audit(FrontJail *jail);
/** front_jail_backgrounds() - where background.c keeps its commands that nobody waits for */
struct Backgrounds **front_jail_backgrounds(FrontJail *jail);
/** front_jail_oom_kills() - of one that ended: the last count of its commands' processes killed for memory */
uint64_t front_jail_oom_kills(const FrontJail *jail);
/** front_jail_gave_up() - did init end by itself, because it had lost the process that makes commands */
bool front_jail_gave_up(const FrontJail *jail);
/** front_jail_commands() - head of the list of its commands, which commands.c keeps */
Command **front_jail_commands(FrontJail *jail);

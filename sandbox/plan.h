#pragma once
/*
 * Plan: the complete description of a jail, as a struct of fixed size: it crosses from the front to the
 * monitor as it is. The front makes it from a policy; plan_check() holds it against what a hostile front
 * could ask. A plan holds no path: what is mounted is named by digest, by handle, or by a passed
 * descriptor, and goes to one of a few fixed places.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define PLAN_VERSION      1u
#define PLAN_LAYERS_MAX   40
#define PLAN_VIEWS_MAX    6
#define PLAN_USES_MAX     80u /* layers of all views together: a layer may be in several */
#define PLAN_FDS_MAX      8
#define PLAN_HOSTNAME_MAX 32

/* bounds of PlanLimits: what the monitor takes, and what a policy may say */
#define PLAN_MEMORY_MIN (1ull << 20)
#define PLAN_MEMORY_MAX (1ull << 44)
#define PLAN_DISK_MIN   65536ull
#define PLAN_INODES_MIN 64ull
#define PLAN_INODES_MAX (1ull << 24)
#define PLAN_PIDS_MAX   65536u
#define PLAN_IO_MAX     (1ull << 40)
#define PLAN_CPU_MIN    10u
#define PLAN_CPU_MAX    1024000u

#define DISK_BYTES_MIN (32ull << 20) /* of a workspace: less leaves no room beside the journal */
#define DISK_BYTES_MAX (1ull << 42)  /* what ext4 itself bounds is above that */

#define PLAN_CPUS_MAX      1024u
#define PLAN_CPU_WORDS     (PLAN_CPUS_MAX / 64)
#define COMMAND_MEMORY_MIN (4ull << 20) /* less, and not even the command's start fits */

#define JAIL_IDS         65536u /* ids of one jail's range, inside 0 … 65535 */
#define JAIL_INIT_ID     65532u /* init's own id in the jail; no command may take it */
#define JAIL_USER_ID     1000u  /* the jail's user where nothing else is asked */
#define JAIL_SLOTS_FIRST 2u     /* command groups that a shell brings along */
#define JAIL_SLOTS_MAX   64u
#define SLOT_ANY         UINT32_MAX /* no slot yet: a new one */

typedef enum LayerKind {
        LAYER_STORE = 1, /* digest: a layer of the store */
        LAYER_UPPER, /* handle: the upper of another jail of this front (running, or kept): of its view
                      * @view; 0: of its writable VIEW_TREE where the plan has one, else VIEW_ROOT */
        LAYER_NEW, /* handle: a layer that is being made (REQUEST_LAYER_NEW) */
        LAYER_DIR, /* fd: a caller's directory; conn: that caller's connection, whose uid must own
                          * the directory (or be 0); the owner appears as the plan's uid and gid. In a
                          * view that is direct and writable it is the directory itself that the jail
                          * changes: the connection must consent to that (base/consent.h) */
        LAYER_SKELETON, /* the host root's skeleton: empty mount points, links, passwd, group, hosts */
        LAYER_DISK, /* handle: a disk of the state directory (disk.h), on which every upper of the
                     * jail lies. Of a plan at most one, in no view */
        _LAYER_KIND_MAX,
} LayerKind;

typedef struct PlanLayer {
        uint32_t kind;
        uint32_t fd;   /* index into the request's descriptors */
        uint32_t conn; /* likewise */
        uint32_t
                view; /* of LAYER_UPPER: 0 or VIEW_WORK, which is writable and no direct one there */
        uint64_t handle;
        uint8_t digest[32];
} PlanLayer;

typedef enum ViewTarget { /* where a view is mounted: fixed places, see view_paths[] in plan.c */
                          VIEW_ROOT = 0, /* /      always there, always an overlay with an upper */
                          VIEW_WORK,     /* /work  */
                          VIEW_OLD,      /* /old   */
                          VIEW_NEW,      /* /new   */
                          VIEW_UPPER,    /* /upper */
                          VIEW_OUT,      /* /out   */
                          VIEW_TREE,     /* /tree  */
                          _VIEW_TARGET_MAX,
} ViewTarget;

typedef enum ViewFlags {
        VIEW_WRITABLE = 1, /* an overlay whose upper lies in the jail's own upper file system */
        VIEW_DIRECT =
                2, /* one layer, bound with its id map, no overlay; with VIEW_WRITABLE, which only
                    * LAYER_NEW and, at /work, LAYER_DIR may have, the layer itself is changed */
} ViewFlags;

typedef struct PlanView {
        uint32_t target;
        uint32_t flags;
        uint32_t first; /* of n consecutive layers, topmost first */
        uint32_t n;
} PlanView;

typedef struct PlanLimits { /* of the commands together; 0 is never "none": every limit is finite */
        uint64_t memory_bytes;
        uint64_t disk_bytes; /* upper on tmpfs: at most half of memory_bytes */
        uint64_t inodes;
        uint32_t pids;
        uint32_t cpu_permille;      /* 1000 is one processor */
        uint64_t memory_high_bytes; /* slowed down from here on; 0: only by memory_bytes */
        uint64_t io_read_bytes;  /* a second, from the store's device and the host root's; 0: any */
        uint64_t io_write_bytes; /* likewise to them */
        uint64_t cpus[PLAN_CPU_WORDS]; /* bit N: processor N may be used; none set: any */
} PlanLimits;

/* Of one command, below the jail's; 0: as the jail's. What is set makes its slot a narrow one. */
typedef struct CommandLimits {
        uint64_t memory_bytes;
        uint32_t pids;
        uint32_t pad;
} CommandLimits;

typedef enum PlanFlags {
        PLAN_HOST_ROOT =
                1, /* the host's /usr and what design.md section 4 lists, bound read-only */
        PLAN_FILES_CAPS =
                2, /* commands of id 0 keep CHOWN, DAC_OVERRIDE, FOWNER in the jail's own user
                              * namespace: only for warder-files */
        PLAN_KEEP_UPPER = 4, /* the upper outlives the jail until REQUEST_UPPER_DROP */
        PLAN_PROC_PID = 8, /* /proc has processes alone, and shows a command only its own user's */
} PlanFlags;

typedef struct Plan {
        uint32_t version;
        uint32_t flags;
        uint32_t uid; /* the jail's user, 0 … 65531: owner of LAYER_DIR and of /home/user */
        uint32_t gid;
        uint32_t n_layers;
        uint32_t n_views;
        uint32_t
                n_fds; /* descriptors with the request: 0 is the policy's filter, then the layers' */
        uint32_t pad;
        PlanLimits limits;
        char hostname[PLAN_HOSTNAME_MAX]; /* terminated, [a-z0-9-] */
        PlanView views[PLAN_VIEWS_MAX];
        PlanLayer layers[PLAN_LAYERS_MAX];
} Plan;

typedef enum CgroupMode { CGROUP_HYBRID = 1, CGROUP_V2 } CgroupMode;

typedef enum JailFd {
        JAIL_FD_INIT = 0, /* SEQPACKET to init */
        JAIL_FD_PIDFD,    /* of init, for poll */
        JAIL_FD_KILL,     /* v2 cgroup.kill of the whole jail, write only */
        JAIL_FD_FREEZE,   /* v2 cgroup.freeze of all commands, write only */
        JAIL_FD_COMMANDS, /* v2 directory of all commands' group: what is seldom asked is opened below it */
        JAIL_FD_OOM,         /* v1 memory.oom_control, v2 memory.events: key "oom_kill" */
        JAIL_FD_MEMORY,      /* bytes now */
        JAIL_FD_MEMORY_PEAK, /* bytes at most */
        JAIL_FD_MEMORY_STAT, /* v1 memory.stat (key "cache"), v2 (key "file") */
        JAIL_FD_PIDS_EVENTS, /* key "max" */
        JAIL_FD_PIDS,        /* now */
        JAIL_FD_THROTTLED, /* cpu.stat where the processor limit is: nr_throttled; may be missing */
        JAIL_FD_SLOT_0_KILL, /* per slot: cgroup.kill, cgroup.events, cpu.stat */
        JAIL_FD_SLOT_0_EVENTS,
        JAIL_FD_SLOT_0_CPU,
        JAIL_FD_SLOT_1_KILL,
        JAIL_FD_SLOT_1_EVENTS,
        JAIL_FD_SLOT_1_CPU,
        JAIL_FD_PIDS_PEAK, /* at most; since Linux 6.1, may be missing as MEMORY_PEAK may */
        _JAIL_FD_MAX,
} JailFd;

/* of one command group */
enum SlotFd {
        SLOT_FD_KILL = 0,
        SLOT_FD_EVENTS,
        SLOT_FD_CPU,
        SLOT_FD_DIR, /* of the v2 group, for init */
        _SLOT_FD_MAX,
        /* and where it is a narrow one */
        SLOT_FD_OOM = _SLOT_FD_MAX, /* v1 memory.oom_control, v2 memory.events: key "oom_kill" */
        SLOT_FD_MEMORY_PEAK,        /* may be missing, as PIDS_PEAK */
        SLOT_FD_MEMORY_STAT,
        SLOT_FD_PIDS_EVENTS,
        SLOT_FD_PIDS_PEAK,
        SLOT_FD_OOM_EVENT,  /* v1 alone, may be missing: an eventfd, when its memory runs out */
        SLOT_FD_MEMORY_DIR, /* v1 alone: groups that init's child enters, for init */
        SLOT_FD_PIDS_DIR,
        _SLOT_FD_NARROW_MAX,
};

/* ---- between the stages that build a jail and its init -------------------------------------------- */

enum InitFd { /* init's descriptors at its start; of the spawner only INIT_FD_FRONT: its socket to init */
              INIT_FD_FRONT = 3, /* SEQPACKET to the front */
              INIT_FD_BOOT,      /* SEQPACKET to the builder of the jail */
              INIT_FD_SPAWNER,   /* SEQPACKET to the spawner */
              INIT_FD_LOCKS,     /* /proc/locks of the jail's own processes */
              INIT_FD_SLOTS,     /* of each first slot: the group's directory */
              _INIT_FD_MAX = INIT_FD_SLOTS + JAIL_SLOTS_FIRST,
};

typedef enum BootKind {
        BOOT_SHELL = 1, /* init to builder: init and spawner run, a child is parked */
        BOOT_PLAN,      /* builder to init: flags; one descriptor, the policy's filter */
        BOOT_ETC,       /* builder to init: complete the root's /etc; the answer is one Error */
        BOOT_BUILT,     /* builder to init: the jail stands, the builder ends now */
} BootKind;

/* Beside PlanFlags in a BOOT_PLAN: commands write into a caller's directory, so none makes set-id files */
#define BOOT_SHARED (1u << 31)
#define BOOT_DISK   (1u << 30) /* the root's upper lies on a disk, not in memory */

typedef struct BootMessage {
        uint32_t kind;
        uint32_t flags;  /* PLAN: PlanFlags and BOOT_* */
        int32_t builder; /* PLAN: its pid inside the jail: no command starts before it is reaped */
        uint32_t uid;    /* PLAN: the jail's user */
        uint32_t gid;
        uint32_t pad;
} BootMessage;

/**
 * plan_check() - may this plan be built, whoever asks
 * @plan: as it came over the wire
 * @err:  which field, why
 *
 * Checks shape and bounds of every field (counts, indexes, targets used once, root present and first,
 * flags that fit the kinds, limits within PLAN_*_MAX, terminated hostname). Opens nothing.
 *
 * Returns: 0 or -EINVAL.
 */
int plan_check(const Plan *plan, Error *err);

/** plan_layer_changes() - is layer @i of a checked plan changed itself: LAYER_NEW, or a directory with --rw */
bool plan_layer_changes(const Plan *plan, uint32_t i);

/** plan_disk() - the layer of a checked plan that is its disk; negative: its uppers are in memory */
int plan_disk(const Plan *plan);

/** plan_is_shared() - does a checked plan let the jail change a caller's own directory */
bool plan_is_shared(const Plan *plan);

/** plan_check_command() - may a slot have these limits: bounds, and at least one set. Returns: 0 or -EINVAL */
int plan_check_command(const CommandLimits *limits, Error *err);

/** plan_view_path() - the fixed place of a target, "/work"; NULL for an unknown one */
const char *plan_view_path(uint32_t target);

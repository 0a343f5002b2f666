#pragma once
/*
 * wire: every byte between front, monitor and init. Structs of fixed size, native byte order (one build
 * on one host), over SOCK_SEQPACKET; one struct a message, descriptors by SCM_RIGHTS.
 *
 *   front -> monitor   a Request struct; the head's kind names it
 *   monitor -> front   a MonitorReply with the request's cookie, or a MonitorEvent
 *   front -> init      an InitRequest struct, some followed by a blob (a bounded tail of bytes that init
 *                      never interprets but as NUL-terminated strings)
 *   init -> front      an InitEvent struct
 *
 * The monitor and init treat the front as hostile; the front treats init as hostile (it shares a
 * namespace with the commands): all sizes, counts and enums are checked by the reader.
 */
#include <stdint.h>

#include "base/egress.h"
#include "base/error.h"
#include "sandbox/plan.h"

/* ---- descriptors of a front at its start --------------------------------------------------------- */

enum FrontFd {
        FRONT_FD_MONITOR = 3, /* SEQPACKET to the monitor */
        FRONT_FD_LISTEN,      /* the listening Unix stream socket */
        FRONT_FD_STATE,       /* state directory, owned by the front's id, read-write */
        FRONT_FD_POLICIES,    /* directory of shipped policies, O_PATH or readable */
        FRONT_FD_CONFIG, /* the administrator's directory, /etc/warder (or /dev/null: there is none) */
        FRONT_FD_FILES,  /* the warder-files binary, a sealed memfd */
        FRONT_FD_AGENT,  /* the warder-agent binary, likewise (or /dev/null where not installed) */
        FRONT_FD_DATA,   /* directory that holds roles/ and workflows/ */
        FRONT_FD_EGRESS, /* SEQPACKET to egress (or /dev/null where there is none) */
        FRONT_FD_PRESSURE, /* /proc/pressure (or /dev/null where the kernel has none) */
        FRONT_FD_MEMINFO,  /* /proc/meminfo */
        FRONT_FD_SOCKSTAT, /* /proc/net/sockstat (or /dev/null) */
        FRONT_FD_TCP_MEM,  /* net.ipv4.tcp_mem (or /dev/null: not the host's network namespace) */
        FRONT_FD_ETC,      /* O_PATH of /etc, for subuid */
        FRONT_FD_AUDIT,    /* netlink, the kernel's seccomp records alone (or /dev/null) */
        FRONT_FD_LAYERS, /* the store's directory of layers: its names can be read, nothing in it opened */
        FRONT_FD_KEY,        /* root's file with the key of receipts, read-write (or /dev/null) */
        FRONT_FD_KEY_PUBLIC, /* its public half, for all to read (or /dev/null) */
        FRONT_FD_ANCHORS,    /* root's list of heads, to append to (or /dev/null) */
        FRONT_FD_INFO,       /* sealed memfd: one FrontInfo */
        FRONT_FD_FILTER,     /* sealed memfd: the front's own filter */
        _FRONT_FD_MAX = FRONT_FD_FILTER,
};

typedef struct FrontInfo {
        uint32_t version;
        uint32_t private_call; /* 1: a private supervisor: end when nobody needs it any more */
        uint32_t cgroup_mode;
        uint32_t landlock_abi; /* 0: none */
        uint64_t memory_total; /* bytes of the host */
        uint32_t pids_total;   /* processes and threads that the host can have */
        uint32_t cpus;
        uint32_t owner_uid;  /* private: who started it */
        uint32_t warder_gid; /* service: group that may use it; UINT32_MAX: none */
        uint32_t admin_gid;  /* service: group that may see all jails; UINT32_MAX: none */
        uint32_t
                stale_lock; /* 1: all fronts before have ended: a lock on the ledger is held by a child of
                                theirs that the kernel keeps, and that does not write there */
} FrontInfo;

/* ---- front -> monitor ---------------------------------------------------------------------------- */

typedef enum RequestKind {
        REQUEST_JAIL_CREATE = 1,
        REQUEST_JAIL_DESTROY,
        REQUEST_SLOT,
        REQUEST_UPPER_DROP,
        REQUEST_LAYER_NEW,
        REQUEST_LAYER_COMMIT,
        REQUEST_LAYER_DROP,
        REQUEST_LAYER_REMOVE,
        REQUEST_DISK_MAKE,
        REQUEST_DISK_SHOW,
        REQUEST_DISK_REMOVE,
        _REQUEST_KIND_MAX,
} RequestKind;

typedef struct RequestHead {
        uint32_t kind;
        uint32_t cookie; /* chosen by the front, comes back in the reply */
} RequestHead;

typedef struct CreateRequest { /* plan.n_fds descriptors */
        RequestHead head;
        Plan plan;
} CreateRequest;

typedef struct HandleRequest { /* DESTROY, UPPER_DROP: a jail; LAYER_DROP: a new layer */
        RequestHead head;
        uint64_t handle;
} HandleRequest;

typedef struct SlotRequest { /* SLOT: a command group; with limits of its own a narrow one */
        RequestHead head;
        uint64_t handle;      /* of a jail */
        CommandLimits limits; /* all 0: as the jail */
        uint32_t slot;        /* a narrow slot that is empty, or SLOT_ANY: a new one */
        uint32_t pad;
} SlotRequest;

typedef struct LayerRequest { /* LAYER_NEW (both 0), COMMIT, REMOVE */
        RequestHead head;
        uint64_t handle;
        uint8_t digest[32];
} LayerRequest;

typedef struct DiskRequest { /* DISK_MAKE; SHOW and REMOVE with bytes 0 */
        RequestHead head;
        uint64_t disk; /* its number, which the front chooses: never 0 */
        uint64_t bytes;
} DiskRequest;

/* ---- monitor -> front ---------------------------------------------------------------------------- */

typedef enum MonitorMessageKind {
        MONITOR_REPLY = 1,
        MONITOR_JAIL_ENDED,
        MONITOR_EGRESS, /* one descriptor: the socket to a new egress, after the old one's end */
} MonitorMessageKind;

typedef struct MonitorReply { /* and MonitorEvent: one form, so that a reader needs one size */
        uint32_t kind;        /* MonitorMessageKind */
        uint32_t cookie;      /* of the request; 0 in events */
        int32_t code;         /* 0, or negative errno; JAIL_ENDED: wait status of init */
        uint32_t present;     /* CREATE: BIT(JailFd), SLOT: BIT(SlotFd): what comes, in order */
        uint64_t handle;      /* of the jail or new layer; DISK_SHOW: bytes that it takes */
        uint32_t id_base;     /* CREATE: first host id of the jail's range */
        uint32_t oom_kills;   /* JAIL_ENDED: of its commands' processes, by the kernel for memory */
        uint32_t waited;      /* CREATE: 1: no shell was ready, one had to be made first */
        uint32_t pad;
        char text[ERROR_TEXT_MAX]; /* the reason, where code is negative */
} MonitorReply;

/* What comes with them: JailFd and SlotFd of sandbox/plan.h; SLOT replies with handle = the slot. */

/* ---- front -> init ------------------------------------------------------------------------------- */

#define INIT_BLOB_MAX    (64u * 1024)       /* within the message */
#define INIT_BLOB_FD_MAX (2u * 1024 * 1024) /* as a sealed memfd (INIT_EXEC_BLOB_FD) */
#define INIT_GAVE_UP     3 /* exit code: its spawner is dead, no command can start */
#define INIT_KEEP_MAX    (4u * 1024 * 1024) /* most bytes of one captured stream that are kept */

typedef enum InitRequestKind {
        INIT_EXEC = 1, /* InitExec + blob */
        INIT_SIGNAL,   /* InitSignal */
        INIT_OPEN,     /* InitOpen + path */
        INIT_SLOT, /* InitSlot, its group's directory; of a narrow one on v1 two more: memory, pids */
        INIT_LISTEN,  /* InitListen */
        INIT_COUNT,   /* InitCount: how much the jail holds that is counted for nobody */
        INIT_LOGS,    /* InitLogs: what a command that runs has written so far */
        INIT_MEASURE, /* InitHead alone: what is on the jail's disk */
        _INIT_REQUEST_MAX,
} InitRequestKind;

typedef struct InitHead {
        uint32_t kind;
        uint32_t blob; /* bytes after the struct */
        uint64_t id;   /* of the command or call, chosen by the front, never reused */
} InitHead;

typedef enum StdioKind {
        STDIO_NULL = 0,
        STDIO_FD,
        STDIO_CAPTURE,
        STDIO_MERGE /* stderr as stdout */
} StdioKind;

/*
 * Slots. A parked child waits in each slot that is free, so populated says nothing there: a slot is busy
 * from INIT_EXEC to INIT_ENDED, and on where ENDED's value is 1 (something that the command started lives
 * on in it): kill it, or wait for "populated 0" before the slot counts as free. Of the free ones a front
 * takes the one it used longest ago: there a parked child is ready. A SLOT_KILL after ENDED with value 0
 * costs only the parked child.
 */
typedef enum InitExecFlags {
        INIT_EXEC_BINARY_FD =
                1,             /* a descriptor of the program itself: execveat(2); argv[0] stays */
        INIT_EXEC_FD3 = 2,     /* a descriptor that becomes 3 (the agent's task socket) */
        INIT_EXEC_BLOB_FD = 4, /* the blob is a sealed memfd, head.blob its size */
        INIT_EXEC_TTY = 8,     /* descriptor 0 is a pty slave: make it the controlling terminal */
        INIT_EXEC_COPY =
                16, /* nothing is executed: the words are those of init/copy.h, or "connect" and a port */
        INIT_EXEC_PTY =
                32, /* with TTY, and null, capture, merge: a terminal of the jail's own takes their place */
        INIT_EXEC_LAST =
                64, /* no other is expected: none is parked for it. Where one comes, it is made then */
} InitExecFlags;

#define INIT_TERMINAL_MODES 4  /* c_iflag, c_oflag, c_cflag, c_lflag */
#define INIT_TERMINAL_KEYS  19 /* c_cc, as the kernel has it */

typedef struct InitTerminal { /* how a terminal of the jail's own begins */
        uint32_t rows;        /* both 0: as the kernel makes it */
        uint32_t columns;
        uint32_t has_modes; /* 1: what follows counts */
        uint32_t modes[INIT_TERMINAL_MODES];
        uint8_t keys[INIT_TERMINAL_KEYS];
        uint8_t pad;
} InitTerminal;

/*
 * Descriptors of INIT_EXEC in order: one for each STDIO_FD of stdin, stdout, stderr; then the binary, the
 * one for 3, the blob, as the flags say.
 * Blob: cwd NUL, then argc arguments, then envc "NAME=value", each with its NUL.
 */
typedef struct InitExec {
        InitHead head;
        uint32_t slot;
        uint32_t flags;
        uint32_t uid;
        uint32_t gid;
        uint32_t argc;
        uint32_t envc;
        uint32_t stdio[3]; /* StdioKind */
        uint32_t umask;
        uint64_t keep;       /* captured bytes kept per stream, <= INIT_KEEP_MAX: head and tail */
        uint64_t output_max; /* captured bytes seen, both streams, before INIT_OUTPUT_LIMIT */
        uint64_t nofile;     /* rlimits: soft and hard */
        uint64_t fsize;
        uint64_t stack;
        InitTerminal terminal; /* with INIT_EXEC_PTY */
} InitExec;

typedef struct InitSignal { /* to the command's process group; 0 only asks whether it is there */
        InitHead head;
        int32_t signal;
        uint32_t pad;
} InitSignal;

typedef enum InitOpenFlags {
        INIT_OPEN_READ = 1,
        INIT_OPEN_WRITE = 2,
        INIT_OPEN_CREATE = 4,
        INIT_OPEN_TRUNCATE = 8,
        INIT_OPEN_PARENTS = 16 /* with CREATE: make missing directories, 0755 */
} InitOpenFlags;

typedef struct InitOpen { /* blob: absolute path, NUL */
        InitHead head;
        uint32_t flags;
        uint32_t mode;
        uint32_t uid;
        uint32_t gid;
} InitOpen;

typedef struct InitSlot {
        InitHead head;
        uint32_t slot;
        uint32_t
                narrow; /* 1: a narrow one: no child waits in it; may come again for the next command */
} InitSlot;

typedef struct InitListen { /* TCP on 127.0.0.1 of the jail's own network namespace */
        InitHead head;
        uint32_t port; /* 0: any; the event says which */
        uint32_t pad;
} InitListen;

#define INIT_LOCKS_MAX 8192 /* more are not counted: each thousand costs more than the one before */

typedef struct InitCount {
        InitHead head;
        uint32_t locks; /* 1: record locks too */
        uint32_t pad;
} InitCount;

typedef enum InitLogsOnly {
        INIT_LOGS_ALL,
        INIT_LOGS_SIZE,    /* the size of its terminal alone is meant: no descriptor comes */
        INIT_LOGS_HANG_UP, /* its terminal is closed, and all in it hear SIGHUP: likewise */
} InitLogsOnly;

typedef struct InitLogs { /* of its captured stdout */
        InitHead head;
        uint64_t command; /* id of its INIT_EXEC */
        uint32_t follow;  /* 1: and a pipe that gets what comes after it */
        uint32_t
                keys; /* 1: and one for what is typed; of a command with INIT_EXEC_PTY. It waits for who has them */
        uint32_t rows; /* size of its terminal from now on; both 0: as it is */
        uint32_t columns;
        uint32_t only; /* InitLogsOnly */
        uint32_t pad;
} InitLogs;

/* ---- init -> front ------------------------------------------------------------------------------- */

typedef enum InitEventKind {
        INIT_READY = 1, /* first message: the jail can take commands */
        INIT_STARTED,   /* the command was executed: comes before ENDED unless it was not started */
        INIT_ENDED,     /* with the captured streams as sealed memfds: stdout, then stderr */
        INIT_OUTPUT_LIMIT, /* output_max was passed; init has stopped reading: end the command */
        INIT_OPENED,       /* code, and where 0 one descriptor; value: st_size */
        INIT_LISTENING,    /* code, and where 0 one descriptor; value: port */
        INIT_DONE,         /* answer to INIT_SIGNAL, INIT_SLOT: code */
        INIT_PARKED, /* from a parked child itself, id 0: pid; the kernel adds its pid as the front sees it */
        INIT_COUNTED, /* code, and where 0 Uncounted of init/uncounted.h: value, seen[], kept[] */
        INIT_LOGGED, /* code, and where 0 seen[0], kept[0], cut_at[0], what is kept as a sealed memfd, the pipes */
        INIT_MEASURED, /* code, and where 0 bytes of the upper used and at most in seen[], inodes likewise in kept[];
                        * value: bytes captured so far of commands that run */
        _INIT_EVENT_MAX,
} InitEventKind;

typedef enum InitStep { /* where a command that was not started failed */
                        INIT_STEP_NONE = 0,
                        INIT_STEP_REQUEST, /* the request itself was refused */
                        INIT_STEP_FORK,
                        INIT_STEP_GROUP,
                        INIT_STEP_LIMITS,
                        INIT_STEP_IDS,
                        INIT_STEP_STDIO,
                        INIT_STEP_CWD,
                        INIT_STEP_EXEC,
                        _INIT_STEP_MAX,
} InitStep;

typedef struct InitEvent { /* one form for all kinds; what a kind does not use is 0 */
        uint32_t kind;
        int32_t code; /* ENDED: exit code; not started: negative errno; others: 0 or negative errno */
        uint64_t id;
        int32_t signal; /* ENDED: 0, or the signal that ended it */
        uint32_t step;  /* InitStep where not started */
        uint64_t
                value; /* OPENED, LISTENING, COUNTED: see there; ENDED: 1: processes are left in the slot */
        uint64_t wall_usec;
        uint64_t user_usec; /* of the command and the children it waited for */
        uint64_t sys_usec;
        uint64_t maxrss_bytes;
        uint64_t io_read; /* bytes from and to devices, of the same processes */
        uint64_t io_written;
        uint64_t seen
                [2]; /* bytes of stdout, stderr; merged streams count in [0]. COUNTED: see there */
        uint64_t kept[2];
        uint64_t cut_at
                [2]; /* offset in the kept bytes where the missing ones were; == kept: none missing */
        uint32_t disk_full;   /* ENDED: 1 no free block, 2 no free inode on the upper, 3 both */
        uint32_t disk_before; /* ENDED: the same when the command began */
        uint32_t n_fds;
        uint32_t pid; /* PARKED, ENDED: the command's process, in the jail's own numbers; 0: none */
} InitEvent;

/* ---- front -> egress: base/egress.h, because egress includes nothing but base ---------------------- */

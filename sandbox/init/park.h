#pragma once
/*
 * park: what goes between init, the spawner and a parked child.
 *
 *   init -> spawner        ParkRequest; CHILD brings a slot's group, the child's socket, init's own to the
 *                          front, and for a narrow slot on v1 cgroup.procs of the groups that the child
 *                          enters itself
 *   child -> front         INIT_PARKED, once, over init's socket: so the kernel itself tells the front which
 *                          of the host's processes it is; then the child closes that socket
 *   child (or the spawner, where cloning failed) -> init, over the child's socket: ParkWord
 *   init -> child          a ParkFilter and the policy's filter; later an InitExec, its blob and descriptors
 *   child -> init          a ParkWord of zeros: it has read its command; then nothing more where execve(2)
 *                          succeeds (the socket closes), else a ParkWord with a code
 */
#include <stdint.h>

#include "base/error.h"
#include "supervisor/wire.h"

typedef enum ParkRequestKind {
        PARK_CHILD = 1,
        PARK_NO_FILES, /* the plan is known, and no command keeps a capability: give up the three */
} ParkRequestKind;

typedef struct ParkRequest {
        uint32_t kind;
        uint32_t pad;
} ParkRequest;

typedef struct ParkFilter {
        uint32_t
                shared; /* the jail changes a caller's directory: the constant filter for that comes first */
        uint32_t pad;
} ParkFilter;

typedef struct ParkWord {
        int32_t pid;   /* the first word of a child: its pid; 0 in later ones */
        int32_t code;  /* negative errno: what failed; 0: the command was read */
        uint32_t step; /* InitStep */
        uint32_t pad;
} ParkWord;

typedef struct ExecMessage {
        InitExec exec;
        char blob[INIT_BLOB_MAX];
} ExecMessage;

#define EXEC_KEEP_FILES_CAPS \
        (1u << 31) /* init's own flag in exec.flags: the plan is a files job's */
#define FILES_CAPS      ((1u << 0) | (1u << 1) | (1u << 3)) /* CHOWN, DAC_OVERRIDE, FOWNER */
#define INIT_CAPS       ((1u << 5) | (1u << 6) | (1u << 7)) /* KILL, SETGID, SETUID */
#define PARK_LIMITS_MAX 2                                   /* memory, pids */
#define PARK_FDS_MAX    6 /* stdin, stdout, stderr, binary, descriptor 3, blob */

#pragma once
/*
 * probe: one attack as a row: what it tries, whether it may be tried outside a jail, and the function that
 * tries it. A row is tried in a process of its own, so that whatever it gains ends with that process.
 */
#include <stdbool.h>
#include <stdint.h>

#define FINDING_TEXT_MAX 96
#define SET_ID_PROGRAM   "/tmp/.warder-set-id" /* what "plant" leaves for the row set-id */

typedef enum Outcome {
        OUTCOME_HELD,
        OUTCOME_THROUGH,   /* the attack reached what it wanted */
        OUTCOME_NOT_TRIED, /* it cannot be tried here; the text says why */
        OUTCOME_UNCLEAR,   /* it did not end, or ended in a way that proves nothing */
        _OUTCOME_MAX
} Outcome;

typedef enum Wall {
        WALL_NONE,
        WALL_FILTER,
        WALL_CAPABILITY,
        WALL_NAMESPACE,
        WALL_LIMIT,
        WALL_MOUNT,
        WALL_LANDLOCK,
        WALL_IDS,
        WALL_ABSENT,
        _WALL_MAX
} Wall;

typedef enum Harm {
        HARMLESS, /* outside a jail too: nothing outlives the process that tries */
        SCRATCH,  /* outside only in mount, pid, uts, ipc and net namespaces made for it */
        _HARM_MAX
} Harm;

typedef struct Finding { /* crosses a pipe as it is */
        uint32_t outcome;
        uint32_t wall;
        int32_t error; /* errno, 0: none */
        char text[FINDING_TEXT_MAX];
} Finding;

typedef struct
        ProbeFacts { /* of the host, so that the jail can be searched for them; all optional */
        int64_t host_pid;
        const char *host_abstract; /* name of an abstract socket that listens outside */
        uint64_t host_port;        /* TCP port on the host's loopback that listens */
} ProbeFacts;

typedef struct Probe Probe;

typedef void (*ProbeFn)(const Probe *probe, const ProbeFacts *facts, Finding *ret);

struct Probe {
        const char *name;
        const char *tried; /* for people */
        Harm harm;
        Wall wall; /* that holds where the kernel itself answers EPERM or EACCES */
        ProbeFn run;
        long number; /* of a system call */
        uint64_t args[6];
        uint64_t odd
                [6]; /* the same call, so wrong that the kernel says something else than a filter */
        const char *path;
        int flags;
};

/** finding_held() - @wall answered @error (0: none); @format adds what was seen, NULL: nothing */
void finding_held(Finding *ret, Wall wall, int error, const char *text);
/** finding_through() - it worked */
void finding_through(Finding *ret, const char *text);
/** finding_not_tried() - and why */
void finding_not_tried(Finding *ret, const char *text);
/**
 * finding_refused() - the kernel answered @error: the wall that this error tells of
 * @wall: what EPERM and EACCES mean here; WALL_NONE: what they mean in general
 */
void finding_refused(Finding *ret, Wall wall, int error);

/** probe_is_refusal() - an errno by which a wall says no, as opposed to an argument that is wrong */
bool probe_is_refusal(int error);

/* For rows: */

/** probe_call() - the row's call, which succeeds where nothing holds it */
void probe_call(const Probe *probe, const ProbeFacts *facts, Finding *ret);
/** probe_reach() - the row's call with arguments that do nothing: any answer but a refusal is through */
void probe_reach(const Probe *probe, const ProbeFacts *facts, Finding *ret);
/** probe_open() - open the row's path with its flags; opening is enough */
void probe_open(const Probe *probe, const ProbeFacts *facts, Finding *ret);
/** probe_read() - open the row's path and get a byte (or a directory's entry) out of it */
void probe_read(const Probe *probe, const ProbeFacts *facts, Finding *ret);
/** probe_link() - read the row's path as a link */
void probe_link(const Probe *probe, const ProbeFacts *facts, Finding *ret);

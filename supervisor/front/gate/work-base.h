#pragma once
/*
 * work-base: what a verify or a task stands on: the base (the client's tar, unpacked by warder-files) and
 * the layer that the spec's setup makes of it. The front never reads the tar.
 */
#include "supervisor/front/gate/setup-layer.h"

typedef struct WorkBase { /* layers that are held until work_base_release() */
        bool has_base;
        bool has_setup;
        bool has_held;
        uint32_t owner_uid;
        uint64_t bytes; /* of the base on disk; 0: not known */
        uint8_t base[DIGEST_SIZE];
        uint8_t setup[DIGEST_SIZE];
        uint8_t held[DIGEST_SIZE]; /* held-back tests: in no jail but that of their run (held.h) */
} WorkBase;

typedef struct WorkBaseJob WorkBaseJob;

typedef enum WorkPhase { WORK_UNPACK, WORK_HELD, WORK_SETUP } WorkPhase;

/** work_phase_name() - "unpack", "unpack-held", "setup" */
const char *work_phase_name(WorkPhase phase);
/** work_refusal_name() - cause of an end that is the input's fault: "base_refused", "held_refused", "setup_failed" */
const char *work_refusal_name(WorkPhase phase);

typedef struct WorkBaseEnd {
        const WorkBase *base; /* NULL with @err; the receiver copies it and holds the layers */
        const Error *err;
        WorkPhase phase;    /* which one failed */
        bool refused;       /* the input's fault: the tar, or a setup command */
        bool limit;         /* a limit ended a setup command */
        const char *detail; /* output of a setup command that failed; NULL */
} WorkBaseEnd;
typedef void (*WorkBaseFn)(const WorkBaseEnd *end, void *userdata);
/** WorkPhaseFn - a phase begins; may be NULL */
typedef void (*WorkPhaseFn)(WorkPhase phase, void *userdata);

typedef struct WorkBaseSpec { /* strings borrowed until the end */
        int tar_fd;           /* duplicated, like the next */
        int held_fd;          /* tar of held-back tests; -EBADF: none */
        const uint8_t *base;  /* NULL; else a layer that is in the store already, and no tar */
        const uint8_t *name;  /* for the call: what the owner calls it; NULL: it has no name */
        const VerifySpec *spec;
        const char *snapshot;
        const PolicyUse *policy;  /* of the setup's jail: the verify's */
        const JailLimits *limits; /* likewise; NULL: the policy's */
        uint32_t owner_uid;
        WorkPhaseFn phase;
        SpecRunEventFn setup; /* a command of setup begins or has ended; may be NULL */
        WorkBaseFn done;
        void *userdata;
} WorkBaseSpec;

/** work_base_start() - Returns: 0 and @done will be called, unless cancelled; negative errno */
int work_base_start(Front *front, Holds *holds, const WorkBaseSpec *spec, WorkBaseJob **ret,
                    Error *err);
/** work_base_cancel() - NULL is fine. Returns: NULL */
WorkBaseJob *work_base_cancel(WorkBaseJob *job);
/** work_base_release() - let its layers go; an empty one is fine */
void work_base_release(Holds *holds, WorkBase *base);
/** work_base_layers() - base alone, or setup above base; never the held-back tests */
GateLayers work_base_layers(const WorkBase *base, bool with_setup);

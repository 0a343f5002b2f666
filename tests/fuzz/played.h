#pragma once
/*
 * played: what fuzz-monitor puts in place of jails and of the store, so that the monitor's own code meets a
 * hostile front without privilege and without waiting. Every call checks what the real one relies on.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sandbox/jail.h"
#include "supervisor/monitor/monitor.h"

typedef enum PlayedWay {                    /* what happens to a jail next */
                         PLAYED_REPORT = 0, /* its processes got on */
                         PLAYED_FAIL,       /* its processes say what went wrong */
                         PLAYED_DEATH,
                         PLAYED_SLOW_DEATH, /* a group is not empty at first */
                         _PLAYED_WAY_MAX,
} PlayedWay;

typedef struct Played {
        bool upper_map;    /* as in SandboxFacts */
        unsigned failures; /* so many of the next calls that can fail do */
} Played;

extern Played played; /* owned by played-jails.c; the target sets it before each input */

/** played_must() - a promise that the code above has to keep: the process ends where it is broken */
void played_must(bool good);

/** played_fails() - is this call one of those that fail; counts it */
bool played_fails(void);

/** played_jail_next() - let @way happen to jail @index of those that live, the oldest first. Returns: false: there is none */
bool played_jail_next(unsigned index, PlayedWay way);

/** played_jails() - how many jails and shells have not been freed */
unsigned played_jails(void);

/** played_layers() - how many new layers there are, those under way to the disk included */
unsigned played_layers(void);

/** played_store_next() - end the oldest commit that is under way with @code. Returns: false: there is none */
bool played_store_next(Monitor *monitor, int code);

/** played_store_reset() - forget all layers */
void played_store_reset(void);

/** played_dir_allowed() - may a jail show or change what it was opened as; of fuzz-monitor.c */
bool played_dir_allowed(int dir, bool changes);

#pragma once
/*
 * inject-stand: one warderd under tracer.c, in a directory of its own, and the steps that clients take at it.
 */
#include <limits.h>
#include <stdbool.h>

#include "tests/jail/inject-client.h"
#include "tests/jail/inject-left.h"
#include "tests/jail/tracer.h"

typedef struct InjectStand {
        Tracer tracer;
        InjectPlace place;
        char build[PATH_MAX], source[PATH_MAX];
        InjectClient client;
} InjectStand;

typedef struct InjectOutcome {
        bool ended; /* the client; else it hangs */
        bool quiet; /* and all that was watched meanwhile, but the monitor and the jail that a round is about */
        int code;     /* its exit code */
        bool monitor; /* is alive */
        char words[256];
} InjectOutcome;

/** inject_stand_prepare() - its directory, in $TMPDIR, and the archives; stderr goes there. Returns: false where that fails */
bool inject_stand_prepare(InjectStand *stand);

/** inject_stand_start() - Returns: is it ready */
bool inject_stand_start(InjectStand *stand);

/** inject_stand_ready() - what the next round begins with is there, and all has come to rest */
InjectOutcome inject_stand_ready(InjectStand *stand);

/**
 * inject_stand_round() - the work is done
 * @role: whose call @n fails or kills; NULL: calls are only counted
 */
InjectOutcome inject_stand_round(InjectStand *stand, const char *role, unsigned n);

/** inject_stand_plain() - the work is done, and nobody watches */
InjectOutcome inject_stand_plain(InjectStand *stand);

/** inject_stand_check() - all is whole, and as it was before */
InjectOutcome inject_stand_check(InjectStand *stand);

/** inject_stand_is_gone() - groups, mounts, devices go a moment after the last process. Returns: were there no more than @most */
bool inject_stand_is_gone(InjectStand *stand, unsigned (*count)(const InjectPlace *place),
                          unsigned most);

/** inject_stand_end_left() - what is still watched beside the monitor is told and ended: the next round starts from nothing */
void inject_stand_end_left(InjectStand *stand);

/** inject_stand_stop() - it ends in order, if it does. Returns: did it */
bool inject_stand_stop(InjectStand *stand);

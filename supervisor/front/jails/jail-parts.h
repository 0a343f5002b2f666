#pragma once
/*
 * jail-parts: what a jail consists of, for who looks at what it changed, saves it, or makes others like it: its root and,
 * where it shows a directory at /work copy-on-write, that. Each is an upper above layers that do not change.
 *
 * A caller's own directory below /work is not kept by anybody: who asks brings it again, with the connection on which it
 * says that it may be shown, and it must be the very one.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails/jails.h"

typedef struct JailPart {
        uint32_t target;                   /* VIEW_ROOT or VIEW_WORK */
        PlanLayer layers[PLAN_LAYERS_MAX]; /* below the upper, topmost first */
        unsigned n;
        bool is_host; /* the lowest is the host's own root */
        bool has_dir; /* the lowest is a caller's directory: JailDir's */
} JailPart;

/** jail_part_get() - Returns: is there such a part, with an upper */
bool jail_part_get(const FrontJail *jail, uint32_t target, JailPart *ret);
/** jail_part_upper() - its upper, of a jail that is READY or kept */
PlanLayer jail_part_upper(const FrontJail *jail, const JailPart *part);
/** jail_changes_dir() - is /work the caller's directory itself (--rw) */
bool jail_changes_dir(const FrontJail *jail);
/** jail_work_word() - for jail.show: "directory", "copy" (an archive of one), "shared" (--rw), "root" (it has none of its own) */
const char *jail_work_word(const FrontJail *jail);

/** jail_part_cover() - a saved layer @digest becomes its topmost; one of the same below it goes. Returns: 0, -E2BIG */
int jail_part_cover(JailPart *part, const uint8_t *digest, Error *err);

typedef struct JailDir { /* of one request; borrowed from its call */
        int fds[2]; /* directory, connection: as JailSpec's, where LAYER_DIR has fd 1 and conn 2 */
        unsigned n; /* 2, or 0: none is needed */
} JailDir;

/**
 * jail_dir_take() - the directory that the caller brought again
 * @comes: "work" of the request: descriptor 0 is one
 *
 * Returns: 0 and @ret; -EINVAL with call_refuse() done: it is missing, or another one.
 */
int jail_dir_take(const FrontJail *jail, Call *call, bool comes, JailDir *ret, Error *err);

/** jail_find_own() - the caller's jail that "jail" of @params names, READY, to look into it; NULL after call_refuse() */
FrontJail *jail_find_own(Front *front, Call *call, const cJSON *params, Error *err);

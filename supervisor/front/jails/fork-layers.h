#pragma once
/*
 * fork-layers: the layers that a fork stands on and no snapshot names. Each fork holds all of them until nothing is left of it:
 * what was saved of its source, and what that was holding, if it was a fork itself. So they are somebody's, and charged to
 * somebody, for as long as one jail stands on them, in whatever order the jails end.
 */
#include "supervisor/front/jails/jail-parts.h"
#include "supervisor/front/jails/jails.h"

#define FORK_PARTS_MAX 2u /* root, /work */

typedef struct ForkLayers { /* held for @owner, once each */
        Front *front;
        uint32_t owner;
        unsigned n;
        uint8_t digests[PLAN_LAYERS_MAX + FORK_PARTS_MAX][DIGEST_SIZE];
} ForkLayers;

/** fork_layers_drop() - lets go of all */
void fork_layers_drop(ForkLayers *layers);
/**
 * fork_layers_inherit() - holds once more what @owner holds of the layers of @part
 *
 * Those of a snapshot are held by its name, and are none of ours. Returns: 0; negative errno, and what was taken is in @layers.
 */
int fork_layers_inherit(ForkLayers *layers, const JailPart *part, Error *err);
/** fork_layers_keep() - @jail holds all of them, once more, until nothing is left of it. Returns: 0, or negative errno */
int fork_layers_keep(const ForkLayers *layers, FrontJail *jail, Error *err);

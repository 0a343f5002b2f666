/*
 * fork-layers: see fork-layers.h.
 */
#include "supervisor/front/jails/fork-layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/tasks.h"

void fork_layers_drop(ForkLayers *layers) {
        while (layers->n > 0) {
                layers->n--;
                if (layers->front->tasks)
                        hold_drop(tasks_holds(layers->front->tasks), layers->digests[layers->n],
                                  layers->owner);
        }
}

static int take(ForkLayers *layers, const uint8_t *digest, Error *err) {
        int r = hold_take(tasks_holds(layers->front->tasks), digest, layers->owner, err);

        if (r < 0)
                return r;
        memcpy(layers->digests[layers->n++], digest, DIGEST_SIZE);
        return 0;
}

int fork_layers_inherit(ForkLayers *layers, const JailPart *part, Error *err) {
        const Holds *holds = tasks_holds(layers->front->tasks);
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < part->n; i++)
                if (part->layers[i].kind == LAYER_STORE &&
                    hold_is_held(holds, part->layers[i].digest, layers->owner))
                        r = take(layers, part->layers[i].digest, err);
        return r;
}

static void on_gone(void *userdata) {
        autofree ForkLayers *layers = userdata;

        fork_layers_drop(layers);
}

int fork_layers_keep(const ForkLayers *layers, FrontJail *jail, Error *err) {
        autofree ForkLayers *mine = calloc(1, sizeof(*mine));
        int r = mine ? 0 : error_set(err, -ENOMEM, "hold the layers of a fork");

        if (r < 0)
                return r;
        mine->front = layers->front;
        mine->owner = layers->owner;
        while (r >= 0 && mine->n < layers->n)
                r = take(mine, layers->digests[mine->n], err);
        if (r >= 0 && front_jail_watch(jail, on_gone, mine) < 0)
                r = error_set(err, -ENOMEM, "watch a fork");
        if (r < 0)
                fork_layers_drop(mine);
        else
                (void) TAKE_PTR(mine);
        return r;
}

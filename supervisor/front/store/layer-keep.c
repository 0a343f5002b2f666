/*
 * layer-keep: see layer-keep.h.
 */
#include "supervisor/front/store/layer-keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/front/store/layers.h"

int layer_keep(LayerKeep *keep, Front *front, const uint8_t (*layers)[32], unsigned n, Error *err) {
        int r = 0;

        *keep = (LayerKeep){ .front = front };
        (void) snprintf(keep->holder, sizeof(keep->holder), "import:%" PRIu64, front->next_id++);
        for (; r >= 0 && keep->n < n && keep->n < PLAN_LAYERS_MAX; keep->n++) {
                memcpy(keep->layers[keep->n], layers[keep->n], sizeof(keep->layers[0]));
                r = layer_hold(front, layers[keep->n], keep->holder, err);
        }
        if (r < 0)
                layer_keep_end(keep);
        return r;
}

void layer_keep_end(LayerKeep *keep) {
        Error err = ERROR_EMPTY;

        for (unsigned i = 0; keep->front && i < keep->n; i++)
                if (layer_release(keep->front, keep->layers[i], keep->holder, &err) < 0)
                        log_event(LOG_WARNING, "a layer stays held", F_ERR(&err));
        *keep = (LayerKeep){ .front = NULL };
}

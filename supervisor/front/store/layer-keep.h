#pragma once
/*
 * layer-keep: layers of the store that something under way stands on, or makes, held until it has ended. What a front that
 * died kept so is let go of when the next one starts (image_imports_forget()).
 */
#include "supervisor/front/front.h"

typedef struct LayerKeep {
        Front *front;    /* borrowed; NULL: nothing is kept */
        char holder[40]; /* "import:…" */
        unsigned n;
        uint8_t layers[PLAN_LAYERS_MAX][32];
} LayerKeep;

/** layer_keep() - those and no others until layer_keep_end(). Returns: 0 or negative errno: none is kept */
int layer_keep(LayerKeep *keep, Front *front, const uint8_t (*layers)[32], unsigned n, Error *err);
/** layer_keep_end() - whoever came to hold them meanwhile does; fine on one that is all zeroes */
void layer_keep_end(LayerKeep *keep);

#pragma once
/*
 * layer-make: what warder-files does for an import: what was asked, kept until it can begin; what its jail sees of the
 * store; the words that it is told.
 */
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/store/layer-import.h"

typedef struct LayerMake {
        LayerImportSpec spec; /* without what is copied below */
        int input_fd;         /* owned, as the next two */
        int listing_fd;       /* of a shield */
        char **shield;        /* words of a shield; NULL: it is none. Its base is @over */
        char prefix[64];
        uint8_t over[DIGEST_SIZE]; /* has_over */
        bool has_over;
        uint8_t lower[PLAN_LAYERS_MAX][DIGEST_SIZE];
} LayerMake;

#define LAYER_MAKE_EMPTY ((LayerMake){ .input_fd = -EBADF, .listing_fd = -EBADF })

typedef struct LayerMaking {
        uint64_t handle; /* of the new layer */
        FilesRecordFn on_record;
        FilesDoneFn on_done;
        void *userdata; /* borrowed, for both */
} LayerMaking;

/** layer_make_init() - a copy of what is good for the call only. Returns: 0 or negative errno; layer_make_deinit() in each case */
int layer_make_init(LayerMake *make, const LayerImportSpec *spec, Error *err);
/** layer_make_deinit() - LAYER_MAKE_EMPTY is fine */
void layer_make_deinit(LayerMake *make);
/** layer_make_start() - Returns: 0 and making->on_done will be called; or negative errno */
int layer_make_start(const LayerMake *make, Front *front, const LayerMaking *making, Error *err);

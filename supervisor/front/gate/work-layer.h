#pragma once
/*
 * work-layer: the workspace of a jail as a layer of the store: what its upper holds over the base and setup, with
 * what an earlier such layer below it held (whiteouts and hidden directories stay). The jail's commands stand
 * still meanwhile. Cost follows the change: the base is not read.
 */
#include "supervisor/front/gate/work-base.h"
#include "supervisor/front/store/layer-holds.h"

typedef struct Task Task;
typedef struct WorkLayer WorkLayer; /* one that is being made */

typedef struct WorkLayerEnd {
        const Error *err; /* NULL: it is there */
        const uint8_t
                *digest; /* held for the receiver: hold_drop() when it is not needed any more */
        uint64_t bytes;  /* on disk */
} WorkLayerEnd;
/** WorkLayerFn - once */
typedef void (*WorkLayerFn)(const WorkLayerEnd *end, void *userdata);

typedef struct WorkLayerSpec {
        FrontJail *jail; /* borrowed for the call; NULL: it has ended */
        const uint8_t *
                under; /* layer that the jail stands on above setup and base; NULL: none. For the call */
        const char *snapshot; /* with @under, likewise the next: what the jail stands on below it */
        const GateLayers *layers; /* setup and base */
        uint64_t max_disk;        /* bytes */
        uint32_t owner_uid;
        WorkLayerFn done;
        void *userdata;
} WorkLayerSpec;

/** work_layer_start() - Returns: 0 and @done will be called, unless cancelled; negative errno (-EDQUOT: no room) */
int work_layer_start(Front *front, Holds *holds, const WorkLayerSpec *spec, WorkLayer **ret,
                     Error *err);
/** work_layer_cancel() - @done is not called any more; the jail runs again. NULL is fine. Returns: NULL */
WorkLayer *work_layer_cancel(WorkLayer *layer);

/** work_layer_save() - of a task's own jail */
int work_layer_save(Task *task, WorkLayerFn done, void *userdata, WorkLayer **ret, Error *err);
/** work_layers() - what a task's jail stands on above the snapshot: a layer of its earlier work, setup, base */
GateLayers work_layers(const Task *task, bool with_setup);

/*
 * work-layer: see work-layer.h.
 */
#include "supervisor/front/gate/work-layer.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/task.h"

struct WorkLayer {
        JailHold *hold; /* owned, like the next */
        HoldImport *import;
        WorkLayerFn done;
        void *userdata;
};

static WorkLayer *work_layer_free(WorkLayer *layer) {
        if (!layer)
                return NULL;
        jail_hold_free(layer->hold);
        free(layer);
        return NULL;
}
DEFINE_SCOPED(WorkLayer *, work_layer_free);

static void on_saved(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        SCOPED(work_layer_free) WorkLayer *layer = userdata;
        WorkLayerEnd end = { .err = err };

        (void) refused;
        layer->hold = jail_hold_free(layer->hold);
        if (!err) {
                end.digest = import->digest;
                end.bytes = layer_disk_bytes(import->bytes, import->entries);
        }
        layer->done(&end, layer->userdata);
}

/* What the jail stands on below its earlier work. Of the host's root nothing lies where work is done */
static int list_lower(Front *front, const WorkLayerSpec *spec, uint8_t (*ret)[DIGEST_SIZE],
                      unsigned *ret_n, Error *err) {
        SnapshotInfo info;
        unsigned n = 0;
        int r = snapshots_find(front, spec->snapshot, spec->owner_uid, &info, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < spec->layers->n; i++)
                memcpy(ret[n++], spec->layers->digests[i], DIGEST_SIZE);
        for (unsigned i = 0; i < info.n_layers; i++)
                memcpy(ret[n++], info.layers[i], DIGEST_SIZE);
        *ret_n = n;
        return 0;
}

static int start_import(Front *front, WorkLayer *layer, Holds *holds, const WorkLayerSpec *spec,
                        Error *err) {
        uint8_t lower[GATE_LAYERS_MAX + PLAN_LAYERS_MAX][DIGEST_SIZE];
        LayerImportSpec inner = { .input_fd = -EBADF,
                                  .upper_handle = spec->jail ? front_jail_handle(spec->jail) : 0,
                                  .upper_over = spec->under,
                                  .lower = lower,
                                  .max_bytes = GATE_IMPORT_BYTES,
                                  .max_entries = GATE_IMPORT_ENTRIES,
                                  .owner_uid = spec->owner_uid };
        int r;

        if (!inner.upper_handle)
                return error_say(err, -ESRCH, "the task's jail has ended");
        r = spec->under ? list_lower(front, spec, lower, &inner.n_lower, err) : 0;
        if (r < 0)
                return r;
        r = snapshots_left(front, spec->owner_uid, &inner.max_disk, err);
        if (r < 0)
                return r;
        if (inner.max_disk > spec->max_disk)
                inner.max_disk = spec->max_disk;
        r = jail_hold_new(spec->jail, &layer->hold, err);
        return r < 0 ? r : hold_import(holds, &inner, on_saved, layer, &layer->import, err);
}

int work_layer_start(Front *front, Holds *holds, const WorkLayerSpec *spec, WorkLayer **ret,
                     Error *err) {
        SCOPED(work_layer_free) WorkLayer *layer = calloc(1, sizeof(*layer));
        int r;

        if (!layer)
                return error_set(err, -ENOMEM, "save the workspace");
        *layer = (WorkLayer){ .done = spec->done, .userdata = spec->userdata };
        r = start_import(front, layer, holds, spec, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(layer);
        return 0;
}

WorkLayer *work_layer_cancel(WorkLayer *layer) {
        if (!layer)
                return NULL;
        layer->import = hold_import_cancel(layer->import);
        return work_layer_free(layer);
}

int work_layer_save(Task *task, WorkLayerFn done, void *userdata, WorkLayer **ret, Error *err) {
        const PlanLimits *limits = &task->limits.plan;
        const GateLayers layers = work_base_layers(&task->base, true);
        WorkLayerSpec spec = { .jail = task_jail(task),
                               .under = task->steps.has_under ? task->steps.under : NULL,
                               .snapshot = task->snapshot,
                               .layers = &layers,
                               .max_disk = layer_disk_bytes(limits->disk_bytes, limits->inodes),
                               .owner_uid = task->owner_uid,
                               .done = done,
                               .userdata = userdata };

        return work_layer_start(task->front, tasks_holds(task->front->tasks), &spec, ret, err);
}

GateLayers work_layers(const Task *task, bool with_setup) {
        GateLayers layers = { .n = 0 }, base = work_base_layers(&task->base, with_setup);

        if (task->steps.has_under)
                gate_layers_add(&layers, task->steps.under);
        for (unsigned i = 0; i < base.n; i++)
                gate_layers_add(&layers, base.digests[i]);
        return layers;
}

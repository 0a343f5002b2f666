#pragma once
/*
 * image-import: a container image that was brought into the store becomes layers and a configuration.
 */
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/snapshots.h"

typedef struct ImageImportSpec {
        const LayerImport
                *image; /* of layer_import(): its handle is ours now, whatever happens; borrowed */
        const char *name; /* which of several; NULL: the only one. Copied */
        uint64_t max_bytes, max_entries,
                max_disk; /* of all layers; max_disk of the image too; 0: any */
        uint32_t owner_uid;
        void (*progress)(uint64_t bytes, uint64_t entries, void *userdata); /* may be NULL */
} ImageImportSpec;

typedef struct ImageResult { /* borrowed */
        SnapshotInfo info;   /* layers, bytes, entries filled */
        cJSON *config;       /* image_read_config()'s, with "user" as {"uid", "gid"} */
        cJSON *cleaned;
        uint64_t cleaned_total;
} ImageResult;

/** ImageImportFn - once; @err NULL: the layers are in the store, and stay if the receiver holds them before it returns */
typedef void (*ImageImportFn)(const ImageResult *result, const Error *err, bool refused,
                              void *userdata);

/** image_import() - Returns: 0 and @done will be called, also where it fails; negative errno: it will not */
int image_import(Front *front, const ImageImportSpec *spec, ImageImportFn done, void *userdata,
                 Error *err);

/** image_imports_forget() - at start: layers that an import of a front that died held */
int image_imports_forget(Front *front, Error *err);

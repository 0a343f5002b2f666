#pragma once
/*
 * snapshots: names for ordered lists of layers, in the ledger; import through warder-files.
 */
#include "supervisor/front/filesjob.h"

typedef struct SnapshotInfo {
        char name[72];
        unsigned n_layers;                   /* 0: the host root */
        uint8_t layers[PLAN_LAYERS_MAX][32]; /* topmost first */
        uint64_t bytes, entries, created_usec;
        uint32_t owner_uid;
} SnapshotInfo;

/** snapshots_find() - as @uid may see it. Returns: 0, -ENOENT with a sentence */
int snapshots_find(Front *front, const char *name, uint32_t uid, SnapshotInfo *ret, Error *err);

/** snapshots_digest() - what a verdict names: SHA-256 over the layers' digests ("host" for the host root) */
void snapshots_digest(const SnapshotInfo *info, uint8_t *ret_digest);

typedef struct LayerImport { /* result of layer_import() */
        uint8_t digest[32];
        uint64_t bytes, entries;
        cJSON *cleaned; /* array, borrowed */
        uint64_t cleaned_total;
} LayerImport;
typedef void (*LayerImportFn)(const LayerImport *import, const Error *err, bool refused,
                              void *userdata);

typedef struct LayerImportSpec {
        int input_fd;          /* archive; or with @upper_handle: -EBADF */
        const char *prefix;    /* "work"; NULL: root */
        uint64_t upper_handle; /* 0, or a jail's upper to save instead of an archive */
        uint64_t max_bytes, max_entries;
        uint32_t owner_uid;
        void (*progress)(uint64_t bytes, uint64_t entries, void *userdata); /* may be NULL */
} LayerImportSpec;

/** layer_import() - LAYER_NEW, unpack or save in a files jail, LAYER_COMMIT. Returns: 0 and @done will be called */
int layer_import(Front *front, const LayerImportSpec *spec, LayerImportFn done, void *userdata,
                 Error *err);

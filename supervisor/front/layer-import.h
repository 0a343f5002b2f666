#pragma once
/*
 * layer-import: an archive, or what a jail wrote, becomes a layer of the store.
 */
#include "supervisor/front/front.h"

#define CLEANED_MAX 100 /* entries of LayerImport.cleaned; more are counted only */

typedef struct LayerImport { /* result of layer_import() */
        uint8_t digest[32];
        uint64_t bytes, entries;
        cJSON *cleaned; /* array, borrowed */
        uint64_t cleaned_total;
} LayerImport;

/** LayerImportFn - once; @err NULL: the layer is in the store. The receiver holds it (layer_hold()) or discards it, before it returns */
typedef void (*LayerImportFn)(const LayerImport *import, const Error *err, bool refused,
                              void *userdata);

typedef struct LayerImportSpec {
        int input_fd;          /* archive; or with @upper_handle: -EBADF */
        const char *prefix;    /* "work"; NULL: root */
        uint64_t upper_handle; /* 0, or a jail's upper to save instead of an archive */
        bool to_jail_user; /* everything belongs to JAIL_USER_ID, whatever the archive says */
        uint64_t max_bytes, max_entries;
        uint32_t owner_uid;
        void (*progress)(uint64_t bytes, uint64_t entries, void *userdata); /* may be NULL */
} LayerImportSpec;

/** layer_import() - LAYER_NEW, unpack or save in a files jail, LAYER_COMMIT. Returns: 0 and @done will be called */
int layer_import(Front *front, const LayerImportSpec *spec, LayerImportFn done, void *userdata,
                 Error *err);

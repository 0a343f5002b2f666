#pragma once
/*
 * layer-import: an archive, or what a jail wrote, becomes a layer of the store.
 */
#include "base/record.h"
#include "supervisor/front/calls.h"
#include "supervisor/front/front.h"
#include "supervisor/front/store/image.h"

#define CLEANED_MAX 100 /* entries of LayerImport.cleaned; more are counted only */

typedef struct LayerImport { /* result of layer_import() */
        uint8_t digest[32];
        uint64_t bytes, entries;
        cJSON *cleaned; /* array, borrowed */
        uint64_t cleaned_total;
        uint32_t image;  /* ImageForms: a container image came, there is no layer, no digest */
        uint64_t handle; /* then: of the unfinished layer that holds it; the receiver drops it */
        uint64_t read, grown; /* bytes that were read, and what they unpacked to */
} LayerImport;

typedef struct LayerBlob { /* a layer of an image, in place of an archive; borrowed until the end */
        uint64_t handle;   /* of the unfinished layer that holds the image */
        const ImageBlob *blob;
        const uint8_t *diff;
        const uint8_t (*below)[32]; /* layers of the store that it lies upon, topmost first */
        unsigned n_below;
        uint64_t read, grown; /* by the blobs before it */
} LayerBlob;

typedef struct
        LayerShield { /* made of a base instead of an archive (hold.h of warder-files); for the call, and copied */
        const uint8_t *base;      /* a layer of the store */
        const char *const *words; /* of warder-files, behind its verb; NULL at the end */
        int listing_fd;           /* where the listing of the base is written */
} LayerShield;

/** LayerImportFn - once; @err NULL: the layer is in the store. The receiver holds it (layer_hold()) or discards it, before it returns */
typedef void (*LayerImportFn)(const LayerImport *import, const Error *err, bool refused,
                              void *userdata);

typedef struct LayerImportSpec {
        int input_fd;          /* archive; or with @upper_handle: -EBADF */
        const char *prefix;    /* "work"; NULL: root */
        uint64_t upper_handle; /* 0, or a jail's upper to save instead of an archive */
        uint32_t upper_view;   /* with it: as PlanLayer's view */
        bool trim; /* with it and @lower, which is all that lies below: marks that hide nothing are left out */
        const uint8_t (*lower)
                [32]; /* with upper_over: the layers still lower, topmost first. For the call */
        unsigned n_lower;
        const uint8_t *
                upper_over; /* with it: a layer of the store that is saved below it; NULL: none. For the call */
        bool to_jail_user; /* everything belongs to JAIL_USER_ID, whatever the archive says */
        bool held; /* everything belongs to id 0, and directories can be written to by all (hold.h of warder-files) */
        bool takes_image;          /* as LayerImport.image */
        const LayerBlob *blob;     /* or NULL */
        const LayerShield *shield; /* or NULL */
        uint64_t max_bytes, max_entries;
        uint64_t max_disk; /* 0: any; bytes and LAYER_ENTRY_BYTES for each entry */
        uint32_t owner_uid;
        const Call
                *call; /* borrowed until @done: it ends with that one's client; NULL: it goes on */
        void (*progress)(uint64_t bytes, uint64_t entries, void *userdata); /* may be NULL */
} LayerImportSpec;

/** layer_disk_bytes() - what a layer is charged on disk */
static inline uint64_t layer_disk_bytes(uint64_t bytes, uint64_t entries) {
        return bytes + LAYER_ENTRY_BYTES * entries;
}

/** layer_cleaned_push() - add what one import cleaned to the list of another; both of CLEANED_MAX */
void layer_cleaned_push(cJSON *cleaned, const cJSON *more);

/** layer_import() - LAYER_NEW, unpack or save in a files jail, LAYER_COMMIT. Returns: 0 and @done will be called */
int layer_import(Front *front, const LayerImportSpec *spec, LayerImportFn done, void *userdata,
                 Error *err);

#pragma once
/*
 * image: the texts of a container image (OCI image layout, `docker save`): index, manifest, configuration.
 * They come from strangers: each is held against a schema, bounded, and what it names is only ever looked
 * for in the image itself.
 */
#include "base/digest.h"
#include "base/json.h"

#define IMAGE_TEXT_MAX   (1u << 20) /* of each text */
#define IMAGE_LAYERS_MAX 32u        /* a jail has room for some more of its own */
#define IMAGE_DEPTH_MAX  3u         /* indexes within indexes */
#define IMAGE_NAME_MAX   256        /* of --image */

typedef struct ImageBlob {   /* a file of the image */
        char path[256];      /* as the image says, or by digest; not checked */
        const char *packing; /* "none", "gzip", "zstd"; NULL: whatever it is */
        bool has_digest, has_size;
        uint8_t digest[DIGEST_SIZE];
        uint64_t size;
} ImageBlob;

typedef struct ImageNext { /* what an index leads to */
        ImageBlob blob;
        bool is_index;
} ImageNext;

typedef struct Image {
        ImageBlob config;
        ImageBlob layers[IMAGE_LAYERS_MAX];           /* lowest first */
        uint8_t diffs[IMAGE_LAYERS_MAX][DIGEST_SIZE]; /* of their unpacked archives */
        unsigned n_layers;
} Image;

/** image_check_text() - is a text what the blob says: size and digest. Returns: 0 or -EINVAL */
int image_check_text(const ImageBlob *blob, const char *text, size_t n, Error *err);

/**
 * image_read_index() - the one manifest or index in an index that is for this machine
 * @name: where there are several, the one whose name this is; NULL: there may be one only
 *
 * Returns: 0, -EINVAL with a sentence, -ENOMEM.
 */
int image_read_index(const char *text, size_t n, const char *name, ImageNext *ret, Error *err);

/** image_read_manifest() - configuration and layers; diffs are still missing. Returns: as image_read_index() */
int image_read_manifest(const char *text, size_t n, Image *ret, Error *err);

/** image_read_docker() - the same of the manifest.json of `docker save`; @name is one of RepoTags, or NULL */
int image_read_docker(const char *text, size_t n, const char *name, Image *ret, Error *err);

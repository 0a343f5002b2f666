#pragma once
/*
 * image-write: the texts of a container image of ours, an OCI image layout (image-spec 1.0): layout, index, manifest,
 * configuration. The same snapshot always gives the same texts.
 */
#include "base/buf.h"
#include "supervisor/front/store/image.h"
#include "supervisor/front/store/snapshots.h"

#define IMAGE_BLOB_PATH_MAX 96

typedef struct ImageLayerArchive { /* of a layer: plain tar, so digest and diff are one */
        uint8_t digest[DIGEST_SIZE];
        uint64_t size;
} ImageLayerArchive;

/** image_blob_path() - "blobs/sha256/…" into @path of IMAGE_BLOB_PATH_MAX. Returns: @path */
const char *image_blob_path(const uint8_t *digest, char *path);

/**
 * image_write_texts() - all of them, each as "PATH SIZE\n" and its bytes (pack.h of warder-files), appended to @buf
 * @info:     name and time
 * @config:   how it is run, as snapshots_config(); NULL: it does not say
 * @archives: of info->layers, in their order: topmost first
 *
 * Returns: 0, -ENOMEM, -ENOBUFS.
 */
int image_write_texts(const SnapshotInfo *info, const cJSON *config,
                      const ImageLayerArchive *archives, Buf *buf);

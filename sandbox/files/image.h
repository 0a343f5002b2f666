#pragma once
/*
 * image: the files of a container image as they were brought: index, manifests and configurations, which
 * go to the front as they are (nothing here reads JSON), and blobs of layers. None is reached through a link.
 */
#include <stdint.h>

#include "sandbox/files/report.h"

/** image_blob_open() - a regular file of the image at @path, for reading. Returns: descriptor or negative errno (refused: not there, a link, no file) */
int image_blob_open(int tree, const char *path, Report *report, Error *err);

/** image_text() - its content as RECORD_TEXT, in order; above @max it is refused. Returns: 0 or negative errno */
int image_text(int tree, const char *path, uint64_t max, Report *report, Error *err);

#pragma once
/*
 * image-config: the configuration of a container image: for which machine it is, of which layers, and how it
 * is run. Of the latter only what a jail honours is kept, in a form of our own.
 */
#include "supervisor/front/store/image.h"

#define IMAGE_CONFIG_MAX (64u << 10) /* bytes of what is kept */

/**
 * image_read_config() - the configuration: is it for this machine, the diffs of all layers, how it is run
 * @image:      its diffs are filled
 * @ret_config: owned by the caller: {"env": {}, "user": "", "cwd": "", "entrypoint": [], "cmd": []}, absent
 *              where the image says nothing
 *
 * Returns: as image_read_index().
 */
int image_read_config(const char *text, size_t n, Image *image, cJSON **ret_config, Error *err);

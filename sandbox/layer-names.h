#pragma once
/*
 * layer-names: what layers are called in the store: by digest, and while they are made by handle.
 */
#include <stdint.h>

#define LAYER_NAME_SIZE 72 /* 64 hex digits and room */

/** layer_name() - a layer's, of LAYER_NAME_SIZE bytes. Returns: @name */
const char *layer_name(const uint8_t *digest, char *name);
/** layer_name_new() - while it is written. Returns: @name */
const char *layer_name_new(uint64_t handle, char *name);
/** layer_name_committing() - while it is flushed. Returns: @name */
const char *layer_name_committing(uint64_t handle, char *name);

/*
 * layer-names: see layer-names.h.
 */
#include "sandbox/layer-names.h"

#include <inttypes.h>
#include <stdio.h>

const char *layer_name(const uint8_t *digest, char *name) {
        for (unsigned i = 0; i < 32; i++)
                (void) snprintf(name + i * 2, 3, "%02x", digest[i]);
        return name;
}

const char *layer_name_new(uint64_t handle, char *name) {
        (void) snprintf(name, LAYER_NAME_SIZE, "%016" PRIx64, handle);
        return name;
}

const char *layer_name_committing(uint64_t handle, char *name) {
        (void) snprintf(name, LAYER_NAME_SIZE, "%016" PRIx64 ".commit", handle);
        return name;
}

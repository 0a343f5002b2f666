/*
 * hash: FNV-1a, 64 bits.
 */
#include "shelf.h"

uint64_t hash_name(const char *name) {
        uint64_t hash = 0xcbf29ce484222325u;

        for (; *name; name++)
                hash = (hash ^ (unsigned char) *name) * 0x100000001b3u;
        return hash;
}

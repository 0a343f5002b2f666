/*
 * handles: see handles.h. Numbers that count up and numbers that are random spread alike: a bucket is chosen by the
 * upper bits of a product with an odd constant (2^64 by the golden ratio).
 */
#include "base/handles.h"

#define SPREAD       0x9e3779b97f4a7c15u
#define BUCKETS_BITS 10

_Static_assert(HANDLES_BUCKETS == 1u << BUCKETS_BITS, "as many as the bits can name");

static unsigned bucket_of(uint64_t key) {
        return (unsigned) (key * SPREAD >> (64 - BUCKETS_BITS));
}

void handles_add(Handles *handles, HandleLink *link, uint64_t key) {
        HandleLink **bucket = &handles->buckets[bucket_of(key)];

        *link = (HandleLink){ *bucket, key };
        *bucket = link;
}

void handles_remove(Handles *handles, const HandleLink *link) {
        HandleLink **at = &handles->buckets[bucket_of(link->key)];

        while (*at && *at != link)
                at = &(*at)->next;
        if (*at)
                *at = link->next;
}

HandleLink *handles_find(const Handles *handles, uint64_t key) {
        HandleLink *link = handles->buckets[bucket_of(key)];

        while (link && link->key != key)
                link = link->next;
        return link;
}

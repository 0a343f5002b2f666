#pragma once
/*
 * listing: the names of one directory in the order that every digest and every patch uses: bytewise,
 * a directory as if its name ended in a slash. A walk that goes down in this order meets all paths of a
 * tree in the order of `LC_ALL=C sort` over whole paths, with no more than one listing a level in memory.
 *
 * Syscalls: getdents64 newfstatat fcntl lseek
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/owned.h"

typedef struct ListingItem {
        const char *name; /* borrowed from the listing */
        bool is_dir;
        uint8_t type; /* DT_*, never DT_UNKNOWN */
} ListingItem;

typedef struct Listing {
        ListingItem *items; /* owned */
        unsigned n;
        char *names; /* owned: all names, each terminated */
} Listing;

/**
 * listing_new() - read and sort a directory
 * @fd: open for reading, borrowed; its position is moved
 *
 * Returns: 0 or negative errno.
 */
int listing_new(int fd, Listing **ret_listing);

/** listing_free() - release it, NULL is fine. Returns: NULL */
Listing *listing_free(Listing *listing);
DEFINE_SCOPED(Listing *, listing_free);

/** listing_find() - the item of this name, borrowed; NULL where there is none */
const ListingItem *listing_find(const Listing *listing, const char *name);

/** listing_compare() - the order of two names or whole paths, as strcmp(); equal only where both are directories or neither is */
int listing_compare(const char *a, bool a_is_dir, const char *b, bool b_is_dir);

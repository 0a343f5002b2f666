#pragma once
/*
 * share: what one task has of egress, by whichever of its routes it comes: memory and model calls. Each task has a
 * share of its own, of fixed size, and takes nothing from another's; how many tasks run at once is the front's to bound.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/owned.h"

#define SHARE_BYTES_MAX \
        (48u << 20) /* requests and answers under way; two of the largest requests at least */

typedef struct Share {
        unsigned refs;
        size_t bytes;       /* held now */
        uint64_t calls;     /* begun */
        uint64_t calls_max; /* 0: no limit */
        bool told;          /* the front knows that a limit was reached: once is enough */
} Share;

/** share_new() - with one reference. Returns: 0, -ENOMEM */
int share_new(uint64_t calls_max, Share **ret_share, Error *err);
/** share_ref() - for one more route of the same task. Returns: @share */
Share *share_ref(Share *share);
/** share_unref() - NULL is fine. Returns: NULL */
Share *share_unref(Share *share);
DEFINE_SCOPED(Share *, share_unref);

/** share_hold() - @n bytes rather than *@held, which is set to it. Returns: false, and nothing changes, where that is too much */
bool share_hold(Share *share, size_t *held, size_t n);
/** share_call() - one more call begins. Returns: false where all are used */
bool share_call(Share *share);

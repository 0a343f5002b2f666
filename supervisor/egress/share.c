/*
 * share: see share.h.
 */
#include "supervisor/egress/share.h"

#include <errno.h>
#include <stdlib.h>

int share_new(uint64_t calls_max, Share **ret_share, Error *err) {
        Share *share = calloc(1, sizeof(*share));

        if (!share)
                return error_set(err, -ENOMEM, "share of a task");
        *share = (Share){ .refs = 1, .calls_max = calls_max };
        *ret_share = share;
        return 0;
}

Share *share_ref(Share *share) {
        share->refs++;
        return share;
}

Share *share_unref(Share *share) {
        if (share && --share->refs == 0)
                free(share);
        return NULL;
}

bool share_hold(Share *share, size_t *held, size_t n) {
        size_t others = share->bytes - *held;

        if (n > *held && (n > SHARE_BYTES_MAX || others > SHARE_BYTES_MAX - n))
                return false;
        share->bytes = others + n;
        *held = n;
        return true;
}

bool share_call(Share *share) {
        if (share->calls_max > 0 && share->calls >= share->calls_max)
                return false;
        share->calls++;
        return true;
}

/*
 * share: see share.h.
 */
#include "supervisor/egress/share.h"

#include <errno.h>
#include <stdlib.h>

int share_new(uint64_t calls_max, uint64_t tokens_max, Share **ret_share, Error *err) {
        Share *share = calloc(1, sizeof(*share));

        if (!share)
                return error_set(err, -ENOMEM, "share of a task");
        *share = (Share){ .refs = 1, .calls_max = calls_max, .tokens_max = tokens_max };
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

static ShareWord reserve(Share *share, ShareCall *call) {
        uint64_t answer = call->most > 0 ? call->most : SHARE_ANSWER_TOKENS, left;

        if (share->tokens >= share->tokens_max)
                return SHARE_TOKENS_USED;
        left = share->tokens_max - share->tokens;
        left = left > share->reserved ? left - share->reserved : 0;
        if (left < call->prompt || left - call->prompt < answer) {
                if (share->reserved > 0)
                        return SHARE_WAITS;
                left = left > call->prompt + SHARE_ANSWER_LEAST ? left - call->prompt
                                                                : SHARE_ANSWER_LEAST;
                answer = left < answer ? left : answer;
        }
        if (call->most > 0)
                call->most = answer;
        call->reserved = call->prompt + answer;
        share->reserved += call->reserved;
        return SHARE_GOES;
}

ShareWord share_begin(Share *share, ShareCall *call) {
        ShareWord word;

        call->reserved = 0;
        if (share->calls_max > 0 && share->calls >= share->calls_max)
                return SHARE_CALLS_USED;
        word = call->costs && share->tokens_max > 0 ? reserve(share, call) : SHARE_GOES;
        if (word == SHARE_GOES)
                share->calls++;
        return word;
}

void share_settle(Share *share, ShareCall *call, uint64_t tokens) {
        share->reserved -= call->reserved;
        call->reserved = 0;
        if (__builtin_add_overflow(share->tokens, tokens, &share->tokens))
                share->tokens = UINT64_MAX;
}

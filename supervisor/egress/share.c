/*
 * share: see share.h.
 */
#include "supervisor/egress/share.h"

#include <errno.h>
#include <stdlib.h>

int share_new(const ShareLimits *limits, Share **ret_share, Error *err) {
        Share *share = calloc(1, sizeof(*share));

        if (!share)
                return error_set(err, -ENOMEM, "share of a task");
        *share = (Share){ .refs = 1,
                          .calls_max = limits->calls,
                          .tokens.most = limits->tokens,
                          .money.most = limits->money };
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

/* ---- reservations -------------------------------------------------------------------------------- */

static bool is_used_up(const ShareSum *sum) {
        return sum->most > 0 && sum->used >= sum->most;
}

static uint64_t left_of(const ShareSum *sum) {
        uint64_t taken = sum->used;

        money_add(&taken, sum->reserved);
        if (sum->most == 0)
                return UINT64_MAX;
        return taken < sum->most ? sum->most - taken : 0;
}

/* As dear as it can be: none of the prompt is cached, and where that costs more, all of it will be */
static uint64_t cost_of(const ShareCall *call, uint64_t answer) {
        const Tokens tokens = { .in = call->prompt, .written = call->prompt, .out = answer };

        return call->price ? money_cost(call->price, &tokens) : 0;
}

/* Tokens that the answer may have */
static uint64_t room_by_tokens(const Share *share, const ShareCall *call) {
        uint64_t left = left_of(&share->tokens);

        return left > call->prompt ? left - call->prompt : 0;
}

static uint64_t room_by_money(const Share *share, const ShareCall *call) {
        uint64_t left = left_of(&share->money), prompt = cost_of(call, 0);

        if (share->money.most == 0 || !call->price)
                return UINT64_MAX;
        return left < prompt ? 0 : money_tokens_for(left - prompt, call->price->output);
}

static uint64_t lesser(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

/* Nobody else is under way. @answer: what it asks for, and then what it gets */
static ShareWord cut(const Share *share, ShareCall *call, uint64_t *answer) {
        uint64_t least = lesser(*answer, SHARE_ANSWER_LEAST);
        uint64_t tokens = room_by_tokens(share, call), money = room_by_money(share, call);

        if (money < least) {
                call->money = cost_of(call, least);
                return SHARE_MONEY_USED;
        }
        *answer = lesser(*answer, tokens > SHARE_ANSWER_LEAST ? tokens : SHARE_ANSWER_LEAST);
        *answer = lesser(*answer, money);
        return SHARE_GOES;
}

/* Each token of its answer is somebody's to lose */
static bool is_paid_for(const Share *share, const ShareCall *call) {
        return share->money.most > 0 && call->price && call->price->output > 0;
}

static ShareWord reserve(Share *share, ShareCall *call) {
        uint64_t answer = call->most > 0 ? lesser(call->most, UINT32_MAX) : SHARE_ANSWER_TOKENS;
        ShareWord word;

        if (is_used_up(&share->tokens))
                return SHARE_TOKENS_USED;
        if (is_used_up(&share->money))
                return SHARE_MONEY_USED;
        if (room_by_tokens(share, call) < answer || room_by_money(share, call) < answer) {
                if (share->tokens.reserved > 0)
                        return SHARE_WAITS;
                word = cut(share, call, &answer);
                if (word != SHARE_GOES)
                        return word;
        }
        if (call->most > 0 || is_paid_for(share, call)) /* what is set aside is all that it gets */
                call->most = answer;
        call->reserved = call->prompt + answer;
        call->money = share->money.most > 0 ? cost_of(call, answer) : 0;
        share->tokens.reserved += call->reserved; /* what is left at most, or 2^32 a connection */
        share->money.reserved += call->money;
        return SHARE_GOES;
}

ShareWord share_begin(Share *share, ShareCall *call) {
        bool bounded = share->tokens.most > 0 || share->money.most > 0;
        ShareWord word;

        call->reserved = call->money = 0;
        if (share->calls_max > 0 && share->calls >= share->calls_max)
                return SHARE_CALLS_USED;
        word = call->costs && bounded ? reserve(share, call) : SHARE_GOES;
        if (word == SHARE_GOES)
                share->calls++;
        return word;
}

void share_settle(Share *share, ShareCall *call, uint64_t tokens, uint64_t money) {
        share->tokens.reserved -= call->reserved;
        share->money.reserved -= call->reserved > 0 ? call->money : 0;
        call->reserved = call->money = 0;
        money_add(&share->tokens.used, tokens);
        money_add(&share->money.used, money);
}

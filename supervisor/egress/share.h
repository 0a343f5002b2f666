#pragma once
/*
 * share: what one task has of egress, by whichever of its routes it comes: memory, model calls, tokens, money. Each task
 * has a share of its own, of fixed size, and takes nothing from another's; how many tasks run at once is the front's to
 * bound.
 *
 * What a call will cost is known at its end only, so it begins with a reservation: its prompt by its bytes, and the most
 * that it asks for. One that does not fit beside those under way waits for them. One that is alone goes, with
 * what is left for its answer; but for money: it goes only where its prompt, as if none of it were cached, and a short
 * answer are paid for, and is asked for no more than is. Where an answer costs money each call is asked for what was
 * set aside and no more, whether or not it named a number. A budget of tokens says how much work there may be, and a
 * little more does no harm; one of money says what somebody is ready to lose.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/money.h"
#include "base/owned.h"

#define SHARE_BYTES_MAX \
        (48u << 20) /* requests and answers under way; two of the largest requests at least */

typedef struct ShareSum {
        uint64_t used;
        uint64_t reserved; /* by calls under way */
        uint64_t most;     /* 0: no limit */
} ShareSum;

typedef struct Share {
        unsigned refs;
        size_t bytes;       /* held now */
        uint64_t calls;     /* begun */
        uint64_t calls_max; /* 0: no limit */
        ShareSum tokens;
        ShareSum money;             /* millionths */
        struct Connection *waiting; /* borrowed list, the newest first */
        bool told;                  /* the front knows that a limit was reached: once is enough */
} Share;

#define SHARE_ANSWER_TOKENS 16384u /* of an answer, where a request names no number */
#define SHARE_ANSWER_LEAST  1024u /* that a call which is alone may answer with, whatever is left */

typedef enum ShareWord {
        SHARE_GOES = 0,
        SHARE_WAITS,
        SHARE_CALLS_USED,
        SHARE_TOKENS_USED,
        SHARE_MONEY_USED
} ShareWord;

typedef struct ShareCall {
        bool costs;      /* a model answers it */
        uint64_t prompt; /* tokens, by its bytes */
        uint64_t
                most; /* tokens of the answer: as asked, 0: no number; then, as it may be; 0: as it likes */
        const Price *price; /* borrowed: of its route; NULL: none */
        uint64_t reserved;  /* then: tokens */
        uint64_t money;     /* then: likewise; of one that is not paid for: what it needs */
} ShareCall;

typedef struct ShareLimits { /* 0: none */
        uint64_t calls, tokens;
        uint64_t money; /* millionths */
} ShareLimits;

/** share_new() - with one reference. Returns: 0, -ENOMEM */
int share_new(const ShareLimits *limits, Share **ret_share, Error *err);
/** share_ref() - for one more route of the same task. Returns: @share */
Share *share_ref(Share *share);
/** share_unref() - NULL is fine. Returns: NULL */
Share *share_unref(Share *share);
DEFINE_SCOPED(Share *, share_unref);

/** share_hold() - @n bytes rather than *@held, which is set to it. Returns: false, and nothing changes, where that is too much */
bool share_hold(Share *share, size_t *held, size_t n);
/** share_begin() - may one more call begin: then it is counted, and @call says what it may cost */
ShareWord share_begin(Share *share, ShareCall *call);
/** share_settle() - it has ended, and used so many tokens and cost so much; once */
void share_settle(Share *share, ShareCall *call, uint64_t tokens, uint64_t money);

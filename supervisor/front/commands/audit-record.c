/*
 * audit-record: see audit-record.h. No side effects.
 */
#include "supervisor/front/commands/audit-record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/owned.h"

typedef struct Span {
        const char *at;
        size_t n;
} Span;

typedef enum Word { UID, PID, SIG, ARCH, SYSCALL, CODE, _WORD_MAX } Word;

static const struct {
        const char *key;
        unsigned base;
        uint64_t max;
} words[_WORD_MAX] = {
        [UID] = { "uid=", 10, UINT32_MAX },
        [PID] = { "pid=", 10, INT32_MAX },
        [SIG] = { "sig=", 10, 64 },
        [ARCH] = { "arch=", 16, UINT32_MAX },
        [SYSCALL] = { "syscall=", 10, INT32_MAX },
        [CODE] = { "code=0x", 16, UINT32_MAX },
};

static int digit(char c, unsigned base) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* All of @text is one number up to @max. */
static int number(Span text, unsigned base, uint64_t max, uint64_t *ret) {
        uint64_t value = 0;

        if (text.n == 0 || text.n > 20)
                return -EBADMSG;
        for (size_t i = 0; i < text.n; i++) {
                int d = digit(text.at[i], base);

                if (d < 0 || value > (max - (unsigned) d) / base)
                        return -EBADMSG;
                value = value * base + (unsigned) d;
        }
        *ret = value;
        return 0;
}

/* The next run without a blank; @rest goes behind it. */
static Span next_token(Span *rest) {
        Span token;

        while (rest->n > 0 && (rest->at[0] == ' ' || rest->at[0] == '\0'))
                *rest = (Span){ rest->at + 1, rest->n - 1 };
        token = (Span){ rest->at, 0 };
        while (token.n < rest->n && token.at[token.n] != ' ' && token.at[token.n] != '\0')
                token.n++;
        *rest = (Span){ rest->at + token.n, rest->n - token.n };
        return token;
}

/* "audit(1763712345.123:4567):" */
static int take_stamp(Span token, uint64_t *ret_msec) {
        static const char head[] = "audit(";
        const size_t n_head = sizeof head - 1;
        const char *dot, *colon;
        uint64_t seconds, msec;

        if (token.n < n_head || memcmp(token.at, head, n_head) != 0)
                return -EBADMSG;
        token = (Span){ token.at + n_head, token.n - n_head };
        dot = memchr(token.at, '.', token.n);
        colon = memchr(token.at, ':', token.n);
        if (!dot || !colon || colon != dot + 4 ||
            number((Span){ token.at, (size_t) (dot - token.at) }, 10, UINT32_MAX * 16ull,
                   &seconds) < 0 ||
            number((Span){ dot + 1, 3 }, 10, 999, &msec) < 0)
                return -EBADMSG;
        *ret_msec = seconds * 1000 + msec;
        return 0;
}

/* Of the words a call alone may be negative: whatever a process put into the register. */
static int signed_number(Span text, unsigned word, uint64_t *ret) {
        bool minus = word == SYSCALL && text.n > 0 && text.at[0] == '-';

        if (minus)
                text = (Span){ text.at + 1, text.n - 1 };
        if (number(text, words[word].base, words[word].max, ret) < 0)
                return -EBADMSG;
        if (minus)
                *ret = -*ret;
        return 0;
}

/* Returns: 0 where the token is none of ours, or is taken. */
static int take_word(Span token, uint64_t *values, uint32_t *seen) {
        for (unsigned i = 0; i < _WORD_MAX; i++) {
                size_t n = strlen(words[i].key);

                if (token.n < n || memcmp(token.at, words[i].key, n) != 0)
                        continue;
                if (*seen & BIT(i))
                        return -EBADMSG;
                *seen |= BIT(i);
                return signed_number((Span){ token.at + n, token.n - n }, i, &values[i]);
        }
        return 0;
}

int audit_record_parse(const char *text, size_t n, AuditRecord *ret) {
        Span rest = { text, n };
        uint64_t values[_WORD_MAX] = { 0 }, msec;
        uint32_t seen = 0;
        int r = n > AUDIT_RECORD_MAX ? -EBADMSG : take_stamp(next_token(&rest), &msec);

        while (r == 0 && rest.n > 0)
                r = take_word(next_token(&rest), values, &seen);
        if (r < 0 || seen != BIT(_WORD_MAX) - 1)
                return -EBADMSG;
        *ret = (AuditRecord){ .msec = msec,
                              .uid = (uint32_t) values[UID],
                              .pid = (int32_t) values[PID],
                              .signal = (int32_t) values[SIG],
                              .arch = (uint32_t) values[ARCH],
                              .call = (int32_t) (int64_t) values[SYSCALL],
                              .code = (uint32_t) values[CODE] };
        return 0;
}

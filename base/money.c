/*
 * money: see money.h.
 */
#include "base/money.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/owned.h"

#define DECIMALS  6
#define WHOLE_MAX 10 /* digits before the point */
#define A_CENT    (MONEY_UNIT / 100)

bool money_has_price(const Price *price) {
        return money_dearest(price) > 0;
}

uint64_t money_dearest(const Price *price) {
        const uint64_t all[] = { price->input, price->output, price->cached_input,
                                 price->cache_write };
        uint64_t most = 0;

        for (unsigned i = 0; i < ELEMENTS(all); i++)
                most = all[i] > most ? all[i] : most;
        return most;
}

/* A count may be told twice, and the largest counts: that must never make a call cheaper */
int money_check_price(const Price *price, Error *err) {
        if (price->cached_input > price->input)
                return error_say(err, -EINVAL,
                                 "cached_input costs more than input: it is the price of what the "
                                 "provider reads from its cache instead");
        if (price->cache_write < price->input)
                return error_say(err, -EINVAL,
                                 "cache_write costs less than input: it is the price of what the "
                                 "provider keeps in its cache as well");
        return 0;
}

/* ---- sums ---------------------------------------------------------------------------------------- */

void money_add(uint64_t *sum, uint64_t n) {
        if (__builtin_add_overflow(*sum, n, sum))
                *sum = UINT64_MAX;
}

static void add_priced(uint64_t *sum, uint64_t tokens, uint64_t price) {
        uint64_t part;

        money_add(sum, __builtin_mul_overflow(tokens, price, &part) ? UINT64_MAX : part);
}

uint64_t money_cost(const Price *price, const Tokens *tokens) {
        uint64_t cached = tokens->cached < tokens->in ? tokens->cached : tokens->in;
        uint64_t fresh = tokens->in - cached;
        uint64_t written = tokens->written < fresh ? tokens->written : fresh;
        uint64_t sum = 0;

        add_priced(&sum, cached, price->cached_input);
        add_priced(&sum, written, price->cache_write);
        add_priced(&sum, fresh - written, price->input);
        add_priced(&sum, tokens->out, price->output);
        if (sum == UINT64_MAX)
                return sum;
        return sum / MONEY_UNIT + (sum % MONEY_UNIT > 0);
}

uint64_t money_tokens_for(uint64_t amount, uint64_t price) {
        uint64_t whole;

        if (price == 0)
                return UINT64_MAX;
        if (__builtin_mul_overflow(amount, MONEY_UNIT, &whole))
                whole = UINT64_MAX;
        return whole / price;
}

/* ---- texts --------------------------------------------------------------------------------------- */

int money_parse(const char *text, uint64_t *ret_amount, Error *err) {
        static const char digits[] = "0123456789";
        const char *at = text ? text : "";
        size_t whole = strspn(at, digits), parts = 0;
        uint64_t amount = 0, place = MONEY_UNIT;
        bool fine = whole > 0 && whole <= WHOLE_MAX;

        if (at[whole] == '.') {
                parts = strspn(at + whole + 1, digits);
                fine = fine && parts > 0 && parts <= DECIMALS && !at[whole + 1 + parts];
        } else if (at[whole]) {
                fine = false;
        }
        for (size_t i = 0; fine && i < whole; i++)
                amount = 10 * amount + MONEY_UNIT * (uint64_t) (at[i] - '0');
        for (size_t i = 0; fine && i < parts; i++) {
                place /= 10;
                amount += place * (uint64_t) (at[whole + 1 + i] - '0');
        }
        if (!fine || amount > MONEY_MAX)
                return error_say(err, -EINVAL,
                                 "\"%.40s\" is no amount of money: a number such as 2.50, of at "
                                 "most six decimals",
                                 text ? text : "");
        *ret_amount = amount;
        return 0;
}

/* A file's number is binary. What has six decimals at most is so near to a whole number of millionths as nothing else. */
int money_of_number(double units, uint64_t most, uint64_t *ret_amount) {
        double exact = units * (double) MONEY_UNIT, off;
        uint64_t amount;

        if (!(units >= 0) || exact > (double) most)
                return -EINVAL;
        amount = (uint64_t) (exact + 0.5);
        off = exact - (double) amount;
        if (off > 1e-3 || off < -1e-3)
                return -EINVAL;
        *ret_amount = amount;
        return 0;
}

const char *money_format(uint64_t amount, const char *currency, char *text) {
        bool named = currency && *currency;
        char digits[DECIMALS + 2];
        int n = DECIMALS;

        (void) snprintf(digits, sizeof(digits), "%06u", (unsigned) (amount % MONEY_UNIT));
        while (n > 2 && digits[n - 1] == '0')
                n--;
        (void) snprintf(text, MONEY_TEXT_MAX, "%" PRIu64 ".%.*s%s%.*s",
                        amount / (uint64_t) MONEY_UNIT, n, digits, named ? " " : "",
                        MONEY_CURRENCY_MAX - 1, named ? currency : "");
        return text;
}

bool money_is_currency(const char *text) {
        size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

        return n > 0 && n < MONEY_CURRENCY_MAX && !text[n];
}

const char *money_format_short(uint64_t amount, const char *currency, char *text) {
        uint64_t step = amount >= MONEY_UNIT ? A_CENT : A_CENT / 100;
        uint64_t over = amount % step;

        if (over > 0 && amount <= UINT64_MAX - step)
                amount += step - over;
        return money_format(amount, currency, text);
}

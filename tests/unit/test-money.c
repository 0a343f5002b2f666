/* money: whole millionths, rounded up, never beyond 64 bits; texts are read whole or not at all. */
#include "base/money.h"

#include <errno.h>

#include "base/owned.h"
#include "tests/tap.h"

#define PER_TOKEN MONEY_UNIT /* a price of one unit for a million tokens: a millionth each */

static void costs(void) {
        const Price price = { .input = 3 * PER_TOKEN,
                              .output = 15 * PER_TOKEN,
                              .cached_input = 3 * PER_TOKEN / 10,
                              .cache_write = 15 * PER_TOKEN / 4 };
        const Price cheap = { .input = 1 };

        is_number(money_cost(&price, &(Tokens){ .in = 1000, .out = 10 }), 3150, "in and out");
        is_number(money_cost(&price, &(Tokens){ .in = 1000, .cached = 900 }), 300 + 270,
                  "of a prompt, what was cached costs less");
        is_number(money_cost(&price, &(Tokens){ .in = 100, .written = 100 }), 375,
                  "what is kept costs more");
        is_number(money_cost(&price, &(Tokens){ .in = 10, .cached = 99, .written = 99 }), 3,
                  "no more can be cached than there is, and no more kept than is left");
        is_number(money_cost(&cheap, &(Tokens){ .in = 1 }), 1, "a part of a millionth is one");
        is_number(money_cost(&cheap, &(Tokens){ .in = 1000000 }), 1, "a whole one is no more");
        is_number(money_cost(&cheap, &(Tokens){ .in = 1000001 }), 2, "a little more is");
        is_number(money_cost(&cheap, &(Tokens){ 0 }), 0, "nothing costs nothing");
}

static void bounds(void) {
        const Price price = { .input = MONEY_PRICE_MAX, .output = MONEY_PRICE_MAX };
        uint64_t sum = UINT64_MAX - 1;

        ok(money_cost(&price, &(Tokens){ .in = UINT64_MAX, .out = UINT64_MAX }) == UINT64_MAX,
           "what does not fit is the most");
        ok(money_cost(&price, &(Tokens){ .in = UINT64_MAX / 2 }) == UINT64_MAX,
           "one product alone");
        money_add(&sum, 1);
        ok(sum == UINT64_MAX, "the last that fits");
        money_add(&sum, 1);
        ok(sum == UINT64_MAX, "stays there");
        ok(money_tokens_for(5, 0) == UINT64_MAX, "for nothing there is everything");
        is_number(money_tokens_for(29, 15 * PER_TOKEN), 1, "tokens that are paid for whole");
        is_number(money_tokens_for(0, 1), 0, "none, for none");
        ok(money_tokens_for(UINT64_MAX, 1) == UINT64_MAX, "and no more than can be counted");
}

/* Where one call gets as many tokens as the rest buys, it does not cost more than the rest. */
static void exact(void) {
        unsigned wrong = 0;

        for (uint64_t output = 1; output < 40 * PER_TOKEN; output += 777777)
                for (uint64_t in = 0; in < 50; in += 7) {
                        const Price price = { .input = 2 * output, .output = output };
                        uint64_t prompt = money_cost(&price, &(Tokens){ .in = in });
                        uint64_t out = money_tokens_for(1000000 - prompt, output);

                        wrong += money_cost(&price, &(Tokens){ .in = in, .out = out }) > 1000000;
                }
        is_number(wrong, 0, "what is left pays for what it buys");
}

static void orders(void) {
        Error err = ERROR_EMPTY;

        ok(money_check_price(&(Price){ 3, 15, 3, 3 }, &err) == 0, "one price for all of a prompt");
        is_number(money_check_price(&(Price){ 3, 15, 4, 3 }, &err), -EINVAL, "a dear cache");
        has_text(err.text, "cached_input", "is named");
        err = ERROR_EMPTY;
        is_number(money_check_price(&(Price){ 3, 15, 3, 2 }, &err), -EINVAL, "a cheap one");
        has_text(err.text, "cache_write", "likewise");
        ok(!money_has_price(&(Price){ 0 }) && money_has_price(&(Price){ .output = 1 }),
           "a price is one where anything costs anything");
        is_number(money_dearest(&(Price){ 3, 15, 1, 4 }), 15, "the dearest of them");
}

static void texts(void) {
        static const struct {
                const char *text;
                uint64_t amount;
        } good[] = { { "2.50", 2500000 }, { "0", 0 },           { "7", 7000000 },
                     { "0.000001", 1 },   { "007.5", 7500000 }, { "1000000000", MONEY_MAX } };
        static const char *const bad[] = { "",    ".5",           "5.",         "-1",        "+1",
                                           "1,5", "1e3",          "1.2.3",      "0.0000001", "2 ",
                                           " 2",  "inf",          "0x1",        "2.50USD",   "nan",
                                           "1.-", "1000000000.1", "99999999999" };
        uint64_t amount = 7;
        Error err = ERROR_EMPTY;

        for (size_t i = 0; i < ELEMENTS(bad); i++)
                is_number(money_parse(bad[i], &amount, NULL), -EINVAL, bad[i]);
        is_number(money_parse(NULL, &amount, &err), -EINVAL, "no text at all");
        has_text(err.text, "2.50", "a wrong one shows a right one");
        is_number(amount, 7, "no output on failure");
        for (size_t i = 0; i < ELEMENTS(good); i++)
                ok(money_parse(good[i].text, &amount, NULL) == 0 && amount == good[i].amount, "%s",
                   good[i].text);
}

/* A file's numbers are binary: all of six decimals come out whole. */
static void numbers(void) {
        uint64_t amount = 7;
        unsigned wrong = 0;

        for (uint64_t i = 0; i <= 3000000; i += 17)
                wrong += money_of_number((double) i / 1e6, MONEY_PRICE_MAX, &amount) < 0 ||
                         amount != i;
        for (uint64_t i = MONEY_PRICE_MAX - 999; i <= MONEY_PRICE_MAX; i++)
                wrong += money_of_number((double) i / 1e6, MONEY_PRICE_MAX, &amount) < 0 ||
                         amount != i;
        is_number(wrong, 0, "a number of six decimals is what it says");
        amount = 7;
        is_number(money_of_number(0.0000015, MONEY_PRICE_MAX, &amount), -EINVAL, "finer");
        is_number(money_of_number(-1, MONEY_PRICE_MAX, &amount), -EINVAL, "below 0");
        is_number(money_of_number(1000000.5, MONEY_PRICE_MAX, &amount), -EINVAL, "too much");
        is_number(money_of_number(__builtin_nan(""), MONEY_PRICE_MAX, &amount), -EINVAL, "none");
        is_number(money_of_number(__builtin_inf(), MONEY_PRICE_MAX, &amount), -EINVAL, "no end");
        is_number(amount, 7, "no output on failure");
}

static void shown(void) {
        char text[MONEY_TEXT_MAX];

        is_text(money_format(2500000, "USD", text), "2.50 USD", "two decimals");
        is_text(money_format(0, NULL, text), "0.00", "none");
        is_text(money_format(37500, "", text), "0.0375", "more where there are");
        is_text(money_format(1, "ABCDEFGH", text), "0.000001 ABCDEFGH", "the least");
        is_text(money_format(UINT64_MAX, "ABCDEFGH", text), "18446744073709.551615 ABCDEFGH",
                "the most");
        is_text(money_format_short(1234567, "USD", text), "1.24 USD", "rounded up");
        is_text(money_format_short(1230000, NULL, text), "1.23", "not where it is whole");
        is_text(money_format_short(1, NULL, text), "0.0001", "nothing looks free");
        is_text(money_format_short(999999, NULL, text), "1.00", "up to a unit");
        is_text(money_format_short(UINT64_MAX, NULL, text), "18446744073709.551615",
                "but for the most");
}

static void currencies(void) {
        static const char *const none[] = { "",         "ABCDEFGHI", "US D",        "U2D",
                                            "\033[31m", "EUR\n",     "\xe2\x82\xac" };

        ok(money_is_currency("U") && money_is_currency("abcdEFGH"), "one letter to eight");
        for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
                ok(!money_is_currency(none[i]), "no currency: %zu", i);
}

int main(void) {
        costs();
        bounds();
        exact();
        orders();
        texts();
        numbers();
        shown();
        currencies();
        return tap_end();
}

#pragma once
/*
 * money: what a model's tokens cost. No binary floating point has a part in a sum: amounts are whole millionths of a
 * unit of a currency that whoever wrote the price down calls as he likes; a price is millionths for a million tokens.
 * Costs are rounded up, and what does not fit into 64 bits stays at the most that does.
 *
 * Of a prompt, some may be read from the provider's cache (cheaper) or written to it (dearer): written as well are
 * tokens that are not cached, and all three together are the prompt.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define MONEY_UNIT         1000000ull
#define MONEY_MAX          1000000000000000ull /* of a budget; JSON has it exactly */
#define MONEY_PRICE_MAX    1000000000000ull    /* a million units for a million tokens */
#define MONEY_CURRENCY_MAX 9                   /* 8 letters and their 0 */
#define MONEY_TEXT_MAX     40                  /* an amount with its currency */

typedef struct Price { /* for a million tokens; all 0: there is none */
        uint64_t input;
        uint64_t output;
        uint64_t cached_input; /* read from the cache: at most input */
        uint64_t cache_write;  /* written to it: at least input */
} Price;

typedef struct Tokens {
        uint64_t in;      /* the whole prompt */
        uint64_t cached;  /* of it: read from the cache */
        uint64_t written; /* of the rest: written to the cache */
        uint64_t out;
} Tokens;

/** money_has_price() - does anything cost anything */
bool money_has_price(const Price *price);
/** money_dearest() - of all that a token can cost by @price, the most, for a million of them */
uint64_t money_dearest(const Price *price);
/** money_check_price() - Returns: 0, or -EINVAL: an order of prices by which a larger count could cost less */
int money_check_price(const Price *price, Error *err);

/** money_add() - @n more; stays at UINT64_MAX */
void money_add(uint64_t *sum, uint64_t n);
/** money_cost() - of one call, in millionths, rounded up */
uint64_t money_cost(const Price *price, const Tokens *tokens);
/** money_tokens_for() - how many tokens @amount buys at @price for a million; UINT64_MAX where they cost nothing */
uint64_t money_tokens_for(uint64_t amount, uint64_t price);

/** money_parse() - "2.50": units, at most six decimals, above MONEY_MAX is too much. Returns: 0 or -EINVAL */
int money_parse(const char *text, uint64_t *ret_amount, Error *err);
/** money_of_number() - 2.5, as a file has it; at most six decimals. Returns: 0, or -EINVAL: below 0, above @most, or finer */
int money_of_number(double units, uint64_t most, uint64_t *ret_amount);
/** money_is_currency() - is @text the name of one: 1 to 8 letters */
bool money_is_currency(const char *text);

/**
 * money_format() - "2.50 USD": two decimals, and as many more as it has
 * @currency: NULL or "": none is named
 * @text:     of MONEY_TEXT_MAX
 *
 * Returns: @text
 */
const char *money_format(uint64_t amount, const char *currency, char *text);
/** money_format_short() - likewise, rounded up to hundredths, below a unit to ten-thousandths, so that nothing looks free */
const char *money_format_short(uint64_t amount, const char *currency, char *text);

#pragma once
/*
 * budgets: what a task has used of each, and may use, as people read it: {"calls": [2, 200], "money": [1200000,
 * 2500000, "USD"], …}. The names are the supervisor's; a currency is what whoever wrote the price down calls it.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/money.h"

#define BUDGET_TEXT_MAX MONEY_TEXT_MAX

typedef enum BudgetUnit { UNIT_COUNT, UNIT_TIME, UNIT_SIZE, UNIT_MONEY } BudgetUnit;

typedef struct Budget {
        const char *name; /* borrowed; from outside: to be escaped */
        uint64_t used, most;
        char currency[MONEY_CURRENCY_MAX]; /* of money; "": none */
} Budget;

/** budget_read() - a member of "used". Returns: 0, or -EINVAL: it is none, or no count */
int budget_read(const cJSON *pair, Budget *ret);
/** budget_unit() - what it is counted in: microseconds, bytes, millionths of a currency; what is not known is a count */
BudgetUnit budget_unit(const char *name);
/** budget_title() - "time" for "wall_usec"; what has no other name keeps its own */
const char *budget_title(const char *name);
/** budget_value() - "2 m 5 s", "1.2 KiB", "2.50 USD", a number; into @text of BUDGET_TEXT_MAX. Returns: @text */
const char *budget_value(const Budget *budget, uint64_t value, char *text);
/** budgets_line() - all of them on one line; NULL: nothing is said */
void budgets_line(FILE *to, const cJSON *used);

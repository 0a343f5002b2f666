/*
 * budgets: see budgets.h.
 */
#include "cli/budgets.h"

#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "cli/terminal.h"

#define NAME_SHOWN 32
#define COUNT_MAX  0x1p53 /* above it a JSON number is no count */

static const struct {
        const char *name, *title;
        BudgetUnit unit;
} rows[] = {
        { "wall_usec", "time", UNIT_TIME },
        { "cpu_usec", "cpu", UNIT_TIME },
        { "output_bytes", "output", UNIT_SIZE },
        { "money", "money", UNIT_MONEY },
};

BudgetUnit budget_unit(const char *name) {
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return rows[i].unit;
        return UNIT_COUNT;
}

const char *budget_title(const char *name) {
        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return rows[i].title;
        return name;
}

static bool is_count(const cJSON *number) {
        return cJSON_IsNumber(number) && number->valuedouble >= 0 &&
               number->valuedouble <= COUNT_MAX;
}

int budget_read(const cJSON *pair, Budget *ret) {
        const cJSON *used = cJSON_GetArrayItem(pair, 0), *most = cJSON_GetArrayItem(pair, 1),
                    *currency = cJSON_GetArrayItem(pair, 2);

        if (!pair || !pair->string || !is_count(used) || !is_count(most))
                return -EINVAL;
        *ret = (Budget){ .name = pair->string,
                         .used = (uint64_t) used->valuedouble,
                         .most = (uint64_t) most->valuedouble };
        if (cJSON_IsString(currency) && money_is_currency(currency->valuestring))
                (void) snprintf(ret->currency, sizeof(ret->currency), "%s", currency->valuestring);
        return 0;
}

const char *budget_value(const Budget *budget, uint64_t value, char *text) {
        switch (budget_unit(budget->name)) {
        case UNIT_TIME:
                return units_format_duration(value, text);
        case UNIT_SIZE:
                return units_format_size(value, text);
        case UNIT_MONEY:
                return money_format_short(value, budget->currency, text);
        case UNIT_COUNT:
                break;
        }
        (void) snprintf(text, BUDGET_TEXT_MAX, "%llu", (unsigned long long) value);
        return text;
}

/* ---- on one line --------------------------------------------------------------------------------- */

/* "money [####......] 1.20/2.50 USD" */
static void show_money(FILE *to, const Budget *budget) {
        char bar[TERMINAL_BAR_MAX], text[BUDGET_TEXT_MAX];

        fprintf(to, "  %s %s ", budget_title(budget->name),
                terminal_cells(budget->used, budget->most, bar));
        fprintf(to, "%s/", money_format_short(budget->used, NULL, text));
        fputs(budget_value(budget, budget->most, text), to);
}

static void show(FILE *to, const Budget *budget) {
        char bar[TERMINAL_BAR_MAX], text[BUDGET_TEXT_MAX], of[BUDGET_TEXT_MAX];

        switch (budget_unit(budget->name)) {
        case UNIT_MONEY:
                show_money(to, budget);
                break;
        case UNIT_TIME:
        case UNIT_SIZE:
                fprintf(to, "  %s %s of %s", budget_title(budget->name),
                        budget_value(budget, budget->used, text),
                        budget_value(budget, budget->most, of));
                break;
        case UNIT_COUNT:
                fputs("  ", to);
                terminal_text(to, budget->name, NAME_SHOWN);
                fprintf(to, " %s", terminal_bar(budget->used, budget->most, bar));
                break;
        }
}

/* A recorded model uses no tokens */
static bool is_unused_model(const Budget *budget) {
        return strcmp(budget->name, "tokens") == 0 && budget->used == 0;
}

void budgets_line(FILE *to, const cJSON *used) {
        const cJSON *pair;
        Budget budget;

        if (!used)
                return;
        fputs(terminal_tone_on(to, TONE_DIM), to);
        fputs("    budgets:", to);
        cJSON_ArrayForEach(pair, used) {
                if (budget_read(pair, &budget) == 0 && !is_unused_model(&budget))
                        show(to, &budget);
        }
        fputs(terminal_tone_on(to, TONE_PLAIN), to);
        fputc('\n', to);
}

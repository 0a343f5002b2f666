/*
 * The verb "models list": what models.json has, and what it costs. No supervisor is asked, and no key is read.
 */
#include "cli/verb-models.h"

#include <stdio.h>

#include "cli/ask-once.h"
#include "cli/events.h"
#include "cli/models.h"

#define PRICE_TEXT_MAX 200

typedef struct ModelsOptions {
        Common common;
        const char *models;
} ModelsOptions;

static const Option models_options[] = {
        { "models", 0, OPTION_TEXT, offsetof(ModelsOptions, models), "FILE",
          "Where models are written down (default: $WARDER_MODELS, "
          "~/.config/warder/models.json)" },
        OPTIONS_COMMON,
        { 0 },
};

/* What the cache costs is said where it is not what input costs */
static const char *price_text(const ModelPrice *model, char *text) {
        const Price *price = &model->price;
        const struct {
                const char *name;
                uint64_t amount;
                bool said;
        } rows[] = {
                { "in", price->input, true },
                { "out", price->output, true },
                { "from the cache", price->cached_input, price->cached_input != price->input },
                { "to the cache", price->cache_write, price->cache_write != price->input },
        };
        char amount[MONEY_TEXT_MAX];
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTS(rows); i++)
                if (rows[i].said)
                        n += (size_t) snprintf(
                                text + n, PRICE_TEXT_MAX - n, "%s%s %s", n > 0 ? ", " : "",
                                money_format(rows[i].amount, NULL, amount), rows[i].name);
        (void) snprintf(text + n, PRICE_TEXT_MAX - n, "%s%s", model->currency[0] ? " " : "",
                        model->currency);
        return money_has_price(price) ? text : "-";
}

/* As the file has it, without where its key is */
static int add_row(cJSON *rows, const cJSON *model, Error *err) {
        static const char *const copied[] = { "provider", "model", "base_url", "price" };
        cJSON *row = json_push_consume(rows, cJSON_CreateObject());
        char text[PRICE_TEXT_MAX];
        ModelPrice price;
        int r = models_price(model, model->string, &price, err);

        if (r < 0)
                return r;
        json_add_text(row, "name", model->string);
        for (size_t i = 0; i < ELEMENTS(copied); i++)
                if (json_get(model, copied[i]))
                        json_add_consume(row, copied[i],
                                         cJSON_Duplicate(json_get(model, copied[i]), true));
        return json_add_text(row, "costs", price_text(&price, text))
                       ? 0
                       : error_set(err, -ENOMEM, "list the models");
}

static void show(const cJSON *rows) {
        static const ShownColumn columns[] = { { "NAME", "name", 16, NULL },
                                               { "MODEL", "model", 24, NULL },
                                               { "A MILLION TOKENS COST", "costs", 36, NULL },
                                               { "ADDRESS", "base_url", 0, NULL },
                                               { 0 } };

        show_table(rows, columns);
}

static int run(const VerbCall *call, Error *err) {
        const ModelsOptions *options = call->options;
        SCOPED(json_free) cJSON *json = NULL, *list = cJSON_CreateObject();
        autofree char *path = NULL;
        cJSON *rows = json_add_array(list, "models");
        const cJSON *model;
        int r = models_load(options->models, &json, &path, err);

        cJSON_ArrayForEach(model, json_get(json, "models")) {
                if (r == 0)
                        r = add_row(rows, model, err);
        }
        if (r == 0 && !json_add_text(list, "file", path))
                r = error_set(err, -ENOMEM, "list the models");
        if (r < 0)
                return r;
        if (options->common.json)
                events_result(list);
        else
                show(rows);
        return 0;
}

const Verb verb_models_list = {
        .name = "models list",
        .summary = "list the models that a task may be given, and what they cost",
        .synopsis = "[--models FILE] [--json]",
        .text = "Those of the file that a task would find them in: --models, $WARDER_MODELS, your "
                "own, the\nadministrator's. What a million tokens cost is what the file says; a "
                "model without a price\nhas no budget of money.",
        .examples = "  warder models list\n  warder models list --json | jq -r '.models[].name'",
        .exits = EXITS_PLAIN,
        .options = models_options,
        .size = sizeof(ModelsOptions),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};

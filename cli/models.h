#pragma once
/*
 * models: routes to models that the user or the administrator wrote down, by name.
 */
#include "base/json.h"
#include "base/money.h"

typedef struct ModelPrice {
        Price price; /* all 0: none is written down */
        char currency[MONEY_CURRENCY_MAX];
} ModelPrice;

/**
 * models_find() - the route @name
 * @file:       where to look; NULL: $WARDER_MODELS, then the user's, the administrator's, the shipped file
 * @ret_route:  {"provider","base_url","model"} for task.start, and "price" where it has one; owned by the caller
 * @ret_key_fd: sealed memfd with the key, owned by the caller; empty where the route needs none
 *
 * The key is read from the file or the environment variable that the route names. It is never part of
 * the JSON, of an argument, or of a message.
 *
 * Returns: 0 or negative errno.
 */
int models_find(const char *file, const char *name, cJSON **ret_route, int *ret_key_fd, Error *err);

/**
 * models_load() - the whole file
 * @file:     as of models_find()
 * @ret:      member "models" has the models by their names; owned by the caller
 * @ret_path: fresh: which file it is
 *
 * Returns: 0 or negative errno.
 */
int models_load(const char *file, cJSON **ret, char **ret_path, Error *err);

/**
 * models_price() - what @model, called @name, costs: its member "price"
 * Returns: 0, all 0 where it has none; -EINVAL: a price that is none, with the member.
 */
int models_price(const cJSON *model, const char *name, ModelPrice *ret, Error *err);

/*
 * models: {"warder": "models/1", "models": {"NAME": {"provider", "base_url", "model", "key_env" or
 * "key_file", "price"}}}. Files are read with the user's rights; the key goes into a memfd that only egress reads.
 */
#include "cli/models.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "cli/as-user.h"
#include "cli/user-file.h"

#define MODELS_MAX (256 * 1024)
#define KEY_MAX    4096
#define PATH_LONG  512

static int load(const char *path, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *version;
        int r = user_file_json(path, MODELS_MAX, &json, err);

        if (r < 0)
                return r;
        version = json_text(json, "warder");
        if (!version || strcmp(version, "models/1") != 0)
                return error_say(err, -EINVAL, "%s: \"warder\" must be \"models/1\".", path);
        *ret = TAKE_PTR(json);
        return 0;
}

/* The first file that is there */
static int find_file(const User *user, const char *named, char *path, size_t n, Error *err) {
        const char *variable = getenv("WARDER_MODELS");

        if (!named && variable && *variable)
                named = variable;
        if (named) {
                snprintf(path, n, "%s", named);
                return 0;
        }
        for (unsigned i = 0; i < 3; i++) {
                Error ignored = ERROR_EMPTY;
                int fd;

                if (i == 0)
                        snprintf(path, n, "%s/.config/warder/models.json", user->home);
                else
                        snprintf(path, n, "%s/models.json", i == 1 ? SYSCONFDIR : DATADIR);
                fd = as_user_open(user, path, O_RDONLY, &ignored);
                if (fd >= 0) {
                        (void) close(fd);
                        return 0;
                }
        }
        return error_say(err, -ENOENT,
                         "There is no models.json: write ~/.config/warder/models.json (see "
                         "warder(1)), or name one with --models.");
}

static int find_key(const cJSON *model, char **ret, Error *err) {
        const char *variable = json_text(model, "key_env");
        const char *file = json_text(model, "key_file");
        const char *value = variable ? getenv(variable) : NULL;

        if (variable && (!value || !*value))
                return error_say(err, -ENOENT,
                                 "The key is to come from $%.64s, which is not set. sudo passes no "
                                 "variables on: use 'sudo --preserve-env=%.64s', or \"key_file\".",
                                 variable, variable);
        if (file)
                return user_file_read(file, KEY_MAX, ret, err);
        *ret = strdup(value ? value : "");
        return *ret ? 0 : error_set(err, -ENOMEM, "read the key");
}

static int seal_key(char *key, int *ret_fd, Error *err) {
        size_t n = strcspn(key, "\r\n");

        *ret_fd = memfd_sealed("model-key", key, n, false, err);
        explicit_bzero(key, strlen(key));
        return *ret_fd < 0 ? *ret_fd : 0;
}

/* ---- prices -------------------------------------------------------------------------------------- */

static const struct {
        const char *name;
        size_t at;
        bool needed;
} price_rows[] = {
        { "input", offsetof(Price, input), true },
        { "output", offsetof(Price, output), true },
        { "cached_input", offsetof(Price, cached_input), false },
        { "cache_write", offsetof(Price, cache_write), false },
};

static int read_amount(Price *price, const cJSON *member, Error *err) {
        uint64_t *amount;

        for (size_t i = 0; i < ELEMENTS(price_rows); i++) {
                if (strcmp(member->string, price_rows[i].name) != 0)
                        continue;
                amount = (uint64_t *) (void *) ((char *) price + price_rows[i].at);
                if (cJSON_IsNumber(member) &&
                    money_of_number(member->valuedouble, MONEY_PRICE_MAX, amount) == 0)
                        return 0;
                return error_say(err, -EINVAL,
                                 "%s is no price of a million tokens: a number from 0 to a "
                                 "million, of at most six decimals",
                                 member->string);
        }
        return error_say(err, -EINVAL,
                         "'%.40s' is unknown: there are input, output, cached_input, cache_write "
                         "and currency",
                         member->string);
}

static int read_currency(const cJSON *member, char *ret, Error *err) {
        const char *text = cJSON_IsString(member) ? member->valuestring : "";

        if (!money_is_currency(text))
                return error_say(err, -EINVAL, "currency is a word of at most 8 letters");
        memcpy(ret, text, strlen(text) + 1);
        return 0;
}

static int read_price(const cJSON *json, ModelPrice *price, Error *err) {
        const cJSON *member;
        int r = 0;

        if (!cJSON_IsObject(json))
                return error_say(err, -EINVAL,
                                 "it is an object such as {\"input\": 3.0, \"output\": 15.0}");
        for (size_t i = 0; i < ELEMENTS(price_rows); i++)
                if (price_rows[i].needed && !json_get(json, price_rows[i].name))
                        return error_say(err, -EINVAL, "it lacks \"%s\"", price_rows[i].name);
        cJSON_ArrayForEach(member, json) {
                r = strcmp(member->string, "currency") == 0
                            ? read_currency(member, price->currency, err)
                            : read_amount(&price->price, member, err);
                if (r < 0)
                        return r;
        }
        if (!json_get(json, "cached_input"))
                price->price.cached_input = price->price.input;
        if (!json_get(json, "cache_write"))
                price->price.cache_write = price->price.input;
        return money_check_price(&price->price, err);
}

int models_price(const cJSON *model, const char *name, ModelPrice *ret, Error *err) {
        const cJSON *json = json_get(model, "price");
        ModelPrice price = { 0 };
        Error why = ERROR_EMPTY;

        if (json && read_price(json, &price, &why) < 0)
                return error_say(err, -EINVAL, "The \"price\" of model '%.64s': %s.", name,
                                 why.text);
        *ret = price;
        return 0;
}

static int add_price(cJSON *route, const cJSON *model, const char *name, Error *err) {
        ModelPrice price;
        int r = models_price(model, name, &price, err);
        cJSON *json;

        if (r < 0 || !money_has_price(&price.price))
                return r;
        json = json_add_object(route, "price");
        for (size_t i = 0; i < ELEMENTS(price_rows); i++) {
                const void *amount = (const char *) &price.price + price_rows[i].at;

                json_add_number(json, price_rows[i].name, *(const uint64_t *) amount);
        }
        if (price.currency[0])
                json_add_text(json, "currency", price.currency);
        return 0;
}

/* ---- routes -------------------------------------------------------------------------------------- */

static int make_route(const cJSON *model, const char *name, cJSON **ret, Error *err) {
        const char *provider = json_text(model, "provider");
        SCOPED(json_free) cJSON *route = cJSON_CreateObject();
        int r;

        if (!provider || strcmp(provider, "openai") != 0)
                return error_say(
                        err, -EINVAL,
                        "Model '%.64s': \"provider\" must be \"openai\" (Chat Completions).", name);
        if (!json_text(model, "base_url") || !json_text(model, "model"))
                return error_say(err, -EINVAL, "Model '%.64s' lacks \"base_url\" or \"model\".",
                                 name);
        json_add_text(route, "provider", provider);
        json_add_text(route, "base_url", json_text(model, "base_url"));
        if (!json_add_text(route, "model", json_text(model, "model")))
                return error_set(err, -ENOMEM, "read the model's route");
        r = add_price(route, model, name, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(route);
        return 0;
}

int models_load(const char *file, cJSON **ret, char **ret_path, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        char path[PATH_LONG];
        char *copy;
        User user;
        int r;

        user_of_caller(&user);
        r = find_file(&user, file, path, sizeof(path), err);
        if (r == 0)
                r = load(path, &json, err);
        if (r < 0)
                return r;
        copy = strdup(path);
        if (!copy)
                return error_set(err, -ENOMEM, "read %s", path);
        *ret_path = copy;
        *ret = TAKE_PTR(json);
        return 0;
}

int models_find(const char *file, const char *name, cJSON **ret_route, int *ret_key_fd,
                Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(json_free) cJSON *route = NULL;
        autofree char *key = NULL, *path = NULL;
        const cJSON *model;
        int r;

        r = models_load(file, &json, &path, err);
        if (r < 0)
                return r;
        model = json_get(json_get(json, "models"), name);
        if (!cJSON_IsObject(model))
                return error_say(err, -ENOENT, "%s has no model '%.64s'.", path, name);
        r = make_route(model, name, &route, err);
        if (r == 0)
                r = find_key(model, &key, err);
        if (r == 0)
                r = seal_key(key, ret_key_fd, err);
        if (r < 0)
                return r;
        *ret_route = TAKE_PTR(route);
        return 0;
}

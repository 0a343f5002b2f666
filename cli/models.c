/*
 * models: {"warder": "models/1", "models": {"NAME": {"provider", "base_url", "model", "key_env" or
 * "key_file"}}}. Files are read with the user's rights; the key goes into a memfd that only egress reads.
 */
#include "cli/models.h"

#include <errno.h>
#include <fcntl.h>
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

static int make_route(const cJSON *model, const char *name, cJSON **ret, Error *err) {
        const char *provider = json_text(model, "provider");
        SCOPED(json_free) cJSON *route = cJSON_CreateObject();

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
        *ret = TAKE_PTR(route);
        return 0;
}

int models_find(const char *file, const char *name, cJSON **ret_route, int *ret_key_fd,
                Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(json_free) cJSON *route = NULL;
        autofree char *key = NULL;
        char path[PATH_LONG];
        const cJSON *model;
        User user;
        int r;

        user_of_caller(&user);
        r = find_file(&user, file, path, sizeof(path), err);
        if (r == 0)
                r = load(path, &json, err);
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

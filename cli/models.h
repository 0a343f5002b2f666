#pragma once
/*
 * models: routes to models that the user or the administrator wrote down, by name.
 */
#include "base/json.h"

/**
 * models_find() - the route @name
 * @file:       where to look; NULL: $WARDER_MODELS, then the user's, the administrator's, the shipped file
 * @ret_route:  {"provider","base_url","model"} for task.start, owned by the caller
 * @ret_key_fd: sealed memfd with the key, owned by the caller; empty where the route needs none
 *
 * The key is read from the file or the environment variable that the route names. It is never part of
 * the JSON, of an argument, or of a message.
 *
 * Returns: 0 or negative errno.
 */
int models_find(const char *file, const char *name, cJSON **ret_route, int *ret_key_fd, Error *err);

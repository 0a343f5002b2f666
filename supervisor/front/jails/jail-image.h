#pragma once
/*
 * jail-image: how a container image wants to be run, as far as a jail on it honours that: environment, user,
 * directory, and the command where the caller has none.
 */
#include "base/json.h"

/** environment_new() - "NAME=value" of the defaults, over them the image's, over them what was asked; a null takes one away
 * @image: its configuration, or NULL; @asked: an object of strings and nulls, or NULL
 *
 * Returns: fresh NULL-terminated list (environment_free()), or NULL without memory.
 */
char **environment_new(const cJSON *image, const cJSON *asked);
/** environment_free() - NULL is fine. Returns: NULL */
char **environment_free(char **environment);

/** jail_image_command() - entrypoint and command together, NULL-terminated, pointing into @image; NULL: none, or no memory */
const char **jail_image_command(const cJSON *image);

/** jail_image_user() - Returns: does the image name one, and then @ret_uid and @ret_gid */
bool jail_image_user(const cJSON *image, uint32_t *ret_uid, uint32_t *ret_gid);

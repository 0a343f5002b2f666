#pragma once
/*
 * ssh-places: where the host key of a user's connections to jails lies, and the file that ssh checks it by.
 */
#include <stdbool.h>

#include "base/error.h"

#define SSH_PLACE_MAX  1024
#define SSH_HOST_ALIAS "warder" /* the name that the key has for ssh: one for all jails */
#define SSH_USER       "warder" /* whoever logs in by that name is the jail's own user */

typedef struct SshPlaces {
        char dir[SSH_PLACE_MAX];
        char key[SSH_PLACE_MAX + 16];
        char known_hosts[SSH_PLACE_MAX + 16];
} SshPlaces;

/** ssh_places_find() - below $XDG_STATE_HOME, else ~/.local/state. Returns: 0, or -EINVAL with a sentence */
int ssh_places_find(SshPlaces *ret, Error *err);

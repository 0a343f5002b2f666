#pragma once
/*
 * host-key: the key by which ssh knows that it talks to the warder of this user: made once, the user's alone.
 */
#include <libssh/libssh.h>

#include "cli/ssh-places.h"

/**
 * host_key_make() - the key, where there is none yet, and the file that ssh checks it by
 *
 * Several at once agree on one key.
 *
 * Returns: 0 or negative errno with a sentence.
 */
int host_key_make(const SshPlaces *places, Error *err);

/** host_key_load() - the key that was made; ssh_key_free() it. Returns: 0 or negative errno with a sentence */
int host_key_load(const SshPlaces *places, ssh_key *ret, Error *err);

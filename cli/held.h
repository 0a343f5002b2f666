#pragma once
/*
 * held: tests that are held back: a directory of the caller's, packed as the user. It is handed over apart from the
 * workspace, and what is tested never sees it.
 */
#include "cli/spec.h"

/**
 * held_take() - which directory is meant, and take it out of the spec: an agent may read what stays there
 * @spec:    "held" goes out of it, where it names one
 * @ret_dir: owned by the caller (free()); NULL: no tests are held back
 *
 * A name in a spec's file is one from that file's directory.
 *
 * Returns: 0 or negative errno.
 */
int held_take(const SpecOptions *options, cJSON *spec, char **ret_dir, Error *err);

/**
 * held_pack() - everything below @dir but .git
 * @ret_fd: an archive at its start, owned by the caller
 *
 * Returns: 0; VERB_E_USAGE where @dir lies in the repository (whoever works there would find the tests), or holds no
 * file; negative errno.
 */
int held_pack(const Repository *repo, const char *dir, int *ret_fd, Error *err);

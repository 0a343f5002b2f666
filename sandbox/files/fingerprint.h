#pragma once
/*
 * fingerprint: the digest of what git would know of a tree: of each file and link, in the bytewise order of the
 * paths, "MODE PATH NUL HEX LF", where MODE is 100644, 100755 or 120000 and HEX the SHA-256 of the content or
 * of the link's target. Directories as such, special files and whatever is named ".git" are no part of it.
 *
 * The digest is that of a text, the listing. Kept of a base, it spares to read all of it once more for each
 * patch: what a patch did not touch has its line there already.
 */
#include "sandbox/files/report.h"

#define FINGERPRINT_LISTING_MAX (64u << 20) /* bytes; a larger tree is read as a whole each time */

/** fingerprint_tree() - of the whole tree at @dir. Returns: 0 or negative errno */
int fingerprint_tree(int dir, uint8_t *ret_value, Error *err);

/** fingerprint_list() - write the listing of the tree at @dir to @out. Returns: 0, -EFBIG, or negative errno */
int fingerprint_list(int dir, int out, Error *err);

/**
 * fingerprint_changed() - of a tree that differs from a listed one at some paths only
 * @dir:     the tree as it is now; its paths are looked at, whatever was done to them
 * @listing: what fingerprint_list() wrote of it before, a regular file
 * @paths:   clean ones, in any order; those where nothing is now, or a directory, are fine
 *
 * Returns: 0, -EBADMSG where the listing is none, or negative errno.
 */
int fingerprint_changed(int dir, int listing, const char *const *paths, unsigned n,
                        uint8_t *ret_value, Error *err);

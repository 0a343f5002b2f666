#pragma once
/*
 * fingerprint: the digest of what git would know of a tree: of each file and link, in the bytewise order of the
 * paths, "MODE PATH NUL HEX LF", where MODE is 100644, 100755 or 120000 and HEX the SHA-256 of the content or
 * of the link's target. Directories as such, special files and whatever is named ".git" are no part of it.
 */
#include "sandbox/files/report.h"

/** fingerprint_tree() - of the whole tree at @dir. Returns: 0 or negative errno */
int fingerprint_tree(int dir, uint8_t *ret_value, Error *err);

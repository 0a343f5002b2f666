#pragma once
/*
 * unpack-xattrs: the extended attributes of an archive's entry. Only user.* may land, and of these not
 * user.overlay.*, by which an overlay is told to hide or redirect names. ACLs do not land either.
 */
#include <archive_entry.h>

#include "sandbox/files/land.h"

#define XATTRS_MAX 64u /* of one entry, the first by name */

/** xattr_may_land() - may an attribute of this name lie in a layer */
bool xattr_may_land(const char *name);

/** unpack_xattrs() - land those of @entry that may, with a note for each other. Returns: 0 or negative errno */
int unpack_xattrs(Land *land, struct archive_entry *entry, const char *path, Error *err);

#pragma once
/*
 * pack-xattrs: the extended attributes of one object, as an archive is to have them: those that may lie in a layer, in
 * the order of their names; no more than land of an archive's entry, and what is larger has a note.
 */
#include "sandbox/files/report.h"
#include "sandbox/files/tar-write.h"

typedef struct PackXattrs PackXattrs; /* room for those of one object */

/** pack_xattrs_new() - Returns: room, or NULL: no memory */
PackXattrs *pack_xattrs_new(void);
/** pack_xattrs_free() - NULL is fine. Returns: NULL */
PackXattrs *pack_xattrs_free(PackXattrs *xattrs);
/** pack_xattrs_read() - of @fd, into @entry, which borrows them until the next call. Returns: 0 or negative errno */
int pack_xattrs_read(PackXattrs *xattrs, int fd, TarEntry *entry, Report *report, Error *err);

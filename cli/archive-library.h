#pragma once
/*
 * archive-library: libarchive is loaded where an archive is written or read, not at the command's start: it brings libxml2,
 * ICU and the C++ library along, whose linking takes longer than a jail does. Its functions are there
 * under their own names, and may be called once it is loaded.
 */
#include "base/error.h"

/** archive_library_load() - once is enough, more does no harm. Returns: 0, or -ENOTSUP where it is not there */
int archive_library_load(Error *err);

/**
 * archive_library_use_utf8() - names are UTF-8 for it from now on, whatever the caller's locale
 *
 * In the locale C it refuses the names of other languages where it reads, and where it writes marks them as bytes, which
 * GNU tar complains of. A name that is no UTF-8 is bytes all the same.
 */
void archive_library_use_utf8(void);

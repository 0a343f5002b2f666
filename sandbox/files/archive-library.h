#pragma once
/*
 * archive-library: libarchive is loaded where an archive is read, not at the program's start: it brings libxml2, ICU
 * and the C++ library along, whose linking takes longer than most jobs, and they need none of it. Its
 * functions are there under their own names, and may be called once it is loaded.
 */
#include "base/error.h"

/** archive_library_load() - once is enough, more does no harm. Returns: 0, or -ENOTSUP where it is not there */
int archive_library_load(Error *err);

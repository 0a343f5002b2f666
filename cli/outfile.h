#pragma once
/*
 * outfile: one file that the user named, written with the user's rights.
 */
#include <stdbool.h>

#include "base/error.h"

/** outfile_write() - @text, with a newline after it where @add_newline; an older file is replaced. Returns: 0 or negative errno */
int outfile_write(const char *path, const char *text, bool add_newline, Error *err);

#pragma once
/*
 * apply-result: what one file of a patch becomes.
 */
#include "sandbox/files/patch-read.h"
#include "sandbox/files/patch-write.h"

/**
 * apply_result() - work out the new content of one file
 * @old:        the base, borrowed
 * @ret_result: mode 0: the file is deleted
 * @ret_bytes:  what the content lies in, owned by the caller (free())
 *
 * Returns: 0, or negative errno (refused: it does not fit).
 */
int apply_result(int old, const PatchFile *file, Report *report, PatchSide *ret_result,
                 char **ret_bytes, Error *err);

#pragma once
/*
 * setup-key: what the layer of a setup stands for. It may serve another base than the one that it was made of where
 * the files that setup depends on (`key`) are the same there, and where it hides no file of that base.
 */
#include "base/options.h"
#include "sandbox/files/report.h"

/**
 * setup_key_digest() - RECORD_DIGEST of the files that match
 * @base:  the tree, borrowed
 * @globs: each must match a file or link; of one that does not no digest is told, which is no error
 *
 * The digest covers the globs, and path, mode and content of each match.
 *
 * Returns: 0, -EINVAL (a glob that is none), negative errno.
 */
int setup_key_digest(int base, const OptionList *globs, Report *report, Error *err);

/**
 * setup_key_hides() - RECORD_PATH of the first file of @base that @layer, raw, would stand before or take away
 * Returns: 0, also where there is none; negative errno.
 */
int setup_key_hides(int base, int layer, Report *report, Error *err);

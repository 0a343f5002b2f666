#pragma once
/*
 * programs: where the other programs of warder lie, for what the command itself starts or packs.
 */
#include "base/error.h"

/**
 * program_dir() - the directory that holds an executable program of ours
 * @name:    its file name
 * @folders: below the directory of the programs, "" for itself first; ends with NULL: in a build tree each
 *           program lies in the folder of its sources
 *
 * Returns: descriptor owned by the caller, or -ENOENT.
 */
int program_dir(const char *name, const char *const *folders, Error *err);

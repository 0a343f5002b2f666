#pragma once
/*
 * outdir: the results of a call as files in a directory that the user named, written with the user's
 * rights: under sudo they belong to the person behind it.
 */
#include "base/error.h"

typedef struct OutFile {
        const char *name;
        const char *text; /* borrowed; NULL: from fd */
        int fd; /* borrowed, read from its start; negative and no text: the file is not made */
} OutFile;

/** outdir_make() - make @dir where it is missing, see that files can be made in it. Returns: 0 or negative errno */
int outdir_make(const char *dir, Error *err);

/**
 * outdir_write() - make @dir where it is missing and write the @n files
 *
 * A directory that is made here, in a working tree of git, gets a .gitignore that names all of it.
 *
 * A file that is not made is removed where an earlier call left one: what lies there is of one call.
 *
 * Returns: 0 or negative errno.
 */
int outdir_write(const char *dir, const OutFile *files, unsigned n, Error *err);

#pragma once
/*
 * whole-file: a file that the user named appears whole or not at all, whatever ends us: until it is kept it has no name,
 * or where the file system knows no files without one, a name of its own beside it. An older file stays until then, and gives
 * the new one its mode. A link to a file is replaced itself; what it leads to stays as it is.
 */
#include "cli/as-user.h"

typedef struct WholeFile {
        const char *path; /* borrowed */
        int fd;           /* owned */
        char *temporary;  /* owned: the name that it gets, or has */
        bool is_named;    /* it has it */
        bool is_direct;   /* it is no regular file: it is written to as it is */
        User user;
} WholeFile;

#define WHOLE_FILE_EMPTY ((WholeFile){ .fd = -EBADF })

/** whole_file_open() - with the user's rights; @path is borrowed until the end. Returns: 0 or negative errno */
int whole_file_open(WholeFile *file, const char *path, Error *err);
/** whole_file_keep() - it is @path from now on. Returns: 0 or negative errno */
int whole_file_keep(WholeFile *file, Error *err);
/** whole_file_deinit() - what was not kept goes */
void whole_file_deinit(WholeFile *file);

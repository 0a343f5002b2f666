#pragma once
/*
 * remark-line: what is to be said about one line that a patch adds: a table of checks, each a function of path and
 * line alone. A remark is no proof: it says where a person, or a reviewer, should look. What a secret is, is never
 * repeated: a verdict is read by many.
 */
#include "base/record.h"
#include "sandbox/files/hunks.h"

#define REMARKS_A_LINE 4u

typedef struct Remark {
        RemarkCheck check;
        const char *what; /* a sentence, static */
} Remark;

typedef struct RemarkLine { /* all borrowed */
        const char *path;
        HunkBytes text;   /* without its newline */
        HunkBytes before; /* the whole file as it was: what it did already is nothing new */
} RemarkLine;

/** remarks_of_line() - fill @ret, of REMARKS_A_LINE. Returns: how many there are, each check once at most */
unsigned remarks_of_line(const RemarkLine *line, Remark *ret);

/** remark_manifest() - the file that a lock file of this name is made from; NULL: it is none */
const char *remark_manifest(const char *name);

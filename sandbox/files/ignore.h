#pragma once
/*
 * ignore: which new paths a .gitignore of the base leaves out of a patch. The rules are git's: the last
 * pattern of the innermost file that matches decides, '!' takes a path back in, and what lies in a directory
 * that is left out cannot be taken back. Patterns come from the base's files alone: what the work under
 * test writes into a .gitignore hides nothing.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define IGNORE_FILE_MAX (1u << 20)

typedef struct IgnoreRule {
        const char
                *pattern; /* borrowed from the file's text, '!' and slashes at its ends taken off */
        bool negated;
        bool dirs_only;
        bool anchored; /* to the file's directory; else the last component alone is matched */
} IgnoreRule;

typedef struct IgnoreFile {
        const struct IgnoreFile *outer; /* of the directory above; borrowed, NULL at the top */
        char *text;                     /* owned */
        IgnoreRule *rules;              /* owned */
        unsigned n;
        size_t dir; /* bytes of the directory's path with its slash */
} IgnoreFile;

/** ignore_load() - the patterns of @dir/.gitignore beneath @old; none where there is no such file. Returns: 0 or negative errno */
int ignore_load(IgnoreFile *file, int old, const char *dir, const IgnoreFile *outer);
/** ignore_unload() - release them */
void ignore_unload(IgnoreFile *file);

/** ignore_matches() - is a path below @innermost's directory left out, as far as its own name goes */
bool ignore_matches(const IgnoreFile *innermost, const char *path, bool is_dir);

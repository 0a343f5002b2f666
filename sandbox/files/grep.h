#pragma once
/*
 * grep: the lines of one file that match. Files with a byte 0 are binary and have no lines.
 */
#include <regex.h>

#include "sandbox/files/report.h"

typedef struct Grep {
        regex_t regex; /* owned */
        bool compiled;
        const char *literal; /* borrowed: the pattern, where it is nothing but itself; NULL */
        char *chunk;         /* owned: a file's content */
} Grep;

/** grep_init() - compile. Returns: 0, -EINVAL with the reason in @reason of @n bytes, -ENOMEM */
int grep_init(Grep *grep, const char *pattern, bool ignore_case, char *reason, size_t n);
/** grep_deinit() - release it */
void grep_deinit(Grep *grep);

/**
 * grep_file() - report the lines of one file, at most @room of them
 * @fd:   open for reading, borrowed
 * @path: for the records
 *
 * Returns: how many matched, or negative errno.
 */
int grep_file(Grep *grep, int fd, const char *path, unsigned room, Report *report);

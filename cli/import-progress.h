#pragma once
/*
 * import-progress: one line about an import that runs: what was read of how much, how fast, and how long it will take.
 */
#include <stddef.h>
#include <stdint.h>

#define IMPORT_LINE_MAX 160

typedef struct ImportProgress {
        uint64_t total; /* bytes of the archive; 0: not known */
        uint64_t began_usec, bytes, entries;
} ImportProgress;

/**
 * import_progress_line() - the line for what is known now
 * @bytes: read so far; where that is less than before something else is being read, whose size nobody knows
 * @now_usec: monotonic
 *
 * A speed is told when there is something to reckon from, and what is left where the whole is known.
 *
 * Returns: @text.
 */
const char *import_progress_line(ImportProgress *progress, uint64_t bytes, uint64_t entries,
                                 uint64_t now_usec, char *text);

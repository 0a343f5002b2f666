/* import-progress: see import-progress.h. */
#include "cli/import-progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"

#define RECKON_AFTER_USEC 500000u

__attribute__((format(printf, 3, 4))) static int append(char *text, int at, const char *format,
                                                        ...) {
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(text + at, (size_t) (IMPORT_LINE_MAX - at), format, args);
        va_end(args);

        return n < IMPORT_LINE_MAX - at ? at + n : IMPORT_LINE_MAX - 1;
}

/* "1:05", "1:02:03" */
static const char *clock_of(uint64_t sec, char *text) {
        if (sec >= 3600)
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 ":%02u:%02u", sec / 3600,
                                (unsigned) (sec / 60 % 60), (unsigned) (sec % 60));
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%u:%02u", (unsigned) (sec / 60),
                                (unsigned) (sec % 60));
        return text;
}

static int append_speed(const ImportProgress *progress, uint64_t now_usec, char *text, int at) {
        uint64_t took = now_usec - progress->began_usec;
        double speed; /* bytes a second */
        char size[UNITS_TEXT_MAX], clock[UNITS_TEXT_MAX];
        uint64_t left;

        if (took < RECKON_AFTER_USEC || progress->bytes == 0)
                return at;
        speed = (double) progress->bytes * 1e6 / (double) took;
        at = append(text, at, ", %s/s", units_format_size((uint64_t) speed, size));
        if (progress->total == 0)
                return at;
        left = (uint64_t) ((double) (progress->total - progress->bytes) / speed + 0.5);
        return append(text, at, ", %s left", clock_of(left, clock));
}

const char *import_progress_line(ImportProgress *progress, uint64_t bytes, uint64_t entries,
                                 uint64_t now_usec, char *text) {
        char read[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX], files[UNITS_TEXT_MAX];
        int at;

        if (bytes < progress->bytes) {
                progress->total = 0;
                progress->began_usec = now_usec;
        }
        if (bytes > progress->total) /* the file has grown, or what is unpacked is counted */
                progress->total = 0;
        progress->bytes = bytes;
        progress->entries = entries;
        at = append(text, 0, "%s", units_format_size(bytes, read));
        if (progress->total > 0)
                at = append(text, at, " of %s (%.0f%%)", units_format_size(progress->total, total),
                            100 * (double) bytes / (double) progress->total);
        at = append(text, at, ", %s", units_format_count(entries, "file", files));
        (void) append_speed(progress, now_usec, text, at);
        return text;
}

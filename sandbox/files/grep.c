/* grep: see grep.h. */
#include "sandbox/files/grep.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/owned.h"
#include "sandbox/files/names.h"
#include "sandbox/files/search.h"

#define LEAD 100 /* bytes shown before a match that lies far to the right */

int grep_init(Grep *grep, const char *pattern, bool ignore_case, char *reason, size_t n) {
        int r;

        *grep = (Grep){ 0 };
        grep->chunk = malloc(SEARCH_FILE_MAX + 1);
        if (!grep->chunk)
                return -ENOMEM;
        r = regcomp(&grep->regex, pattern,
                    REG_EXTENDED | REG_NEWLINE | (ignore_case ? REG_ICASE : 0));
        if (r == REG_ESPACE)
                return -ENOMEM;
        if (r != 0) {
                regerror(r, NULL, reason, n);
                return -EINVAL;
        }
        grep->compiled = true;
        if (!ignore_case && strcspn(pattern, "\\^$.|?*+()[]{}\n") == strlen(pattern))
                grep->literal = pattern;
        return 0;
}

void grep_deinit(Grep *grep) {
        if (grep->compiled)
                regfree(&grep->regex);
        free(grep->chunk);
        *grep = (Grep){ 0 };
}

/* Returns: bytes, 0 where there is nothing to look at, or negative errno */
static ssize_t read_text(Grep *grep, int fd, const char *path, Report *report) {
        struct stat st;
        size_t n = 0;
        ssize_t got;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return 0;
        if (st.st_size > SEARCH_FILE_MAX)
                return report_note(report, RULE_FILE_SIZE, path, "larger than %u MiB: not searched",
                                   SEARCH_FILE_MAX >> 20);
        do {
                got = read(fd, grep->chunk + n, SEARCH_FILE_MAX - n);
                if (got > 0)
                        n += (size_t) got;
        } while (got > 0 || (got < 0 && errno == EINTR));
        if (got < 0)
                return -errno;
        grep->chunk[n] = 0;
        return memchr(grep->chunk, 0, n) ? 0 : (ssize_t) n;
}

static int report_line(Report *report, const char *path, uint64_t number, const char *line,
                       size_t n, size_t match) {
        RecordHead head = { .kind = RECORD_MATCH, .a = number };
        char data[NAME_PATH_MAX + SEARCH_LINE_MAX];
        size_t at = strnlen(path, NAME_PATH_MAX - 1);

        if (n > SEARCH_LINE_MAX && match > SEARCH_LINE_MAX - LEAD) {
                line += match - LEAD;
                n -= match - LEAD;
        }
        if (n > SEARCH_LINE_MAX)
                n = SEARCH_LINE_MAX;
        memcpy(data, path, at);
        data[at++] = 0;
        memcpy(data + at, line, n);
        return report_bytes(report, &head, data, at + n);
}

int grep_file(Grep *grep, int fd, const char *path, unsigned room, Report *report) {
        ssize_t n = read_text(grep, fd, path, report);
        const char *line = grep->chunk, *end = grep->chunk + (n > 0 ? n : 0);
        unsigned matches = 0;
        uint64_t number = 1;
        int r;

        if (n <= 0 || (grep->literal && !strstr(line, grep->literal)))
                return (int) n < 0 ? (int) n : 0;
        for (; line < end && matches < room; number++) {
                char *newline = memchr(line, '\n', (size_t) (end - line));
                size_t length = newline ? (size_t) (newline - line) : (size_t) (end - line);
                regmatch_t match = { .rm_so = 0, .rm_eo = (regoff_t) length };

                if (regexec(&grep->regex, line, 1, &match, REG_STARTEND) == 0) {
                        matches++;
                        r = report_line(report, path, number, line, length, (size_t) match.rm_so);
                        if (r < 0)
                                return r;
                }
                line += length + 1;
        }
        return (int) matches;
}

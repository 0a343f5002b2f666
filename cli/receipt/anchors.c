/*
 * anchors: see anchors.h. A history that was written anew, and signed anew by who had the front, has other
 * heads than those that were put into the list before.
 */
#include "cli/receipt/anchors.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 512

static int check_row(const Check *check, uint64_t number, uint64_t lines, const char *head,
                     Error *err) {
        char own[DIGEST_TEXT_MAX];

        if (lines == 0 || lines > check->lines)
                return error_say(err, -EBADMSG,
                                 "the host's list has a head after %" PRIu64 " lines (number "
                                 "%" PRIu64 "); the receipt has %" PRIu64,
                                 lines, number, check->lines);
        if (strcmp(head, digest_format(check->heads[lines - 1], own)) == 0)
                return 0;
        return error_say(err, -EBADMSG,
                         "the host's list has another head after %" PRIu64 " lines (number %" PRIu64
                         "): what stands before it was written anew",
                         lines, number);
}

int anchors_check(const Check *check, const char *path, Error *err) {
        FILE *file = fopen(path, "re");
        char row[LINE_MAX_LEN];
        bool has_last = false;
        int r = 0;

        if (!file)
                return error_set(err, -errno, "open the list of heads");
        while (r == 0 && fgets(row, sizeof(row), file)) {
                char subject[20], head[DIGEST_TEXT_MAX];
                uint64_t number, lines;

                if (sscanf(row, "%" SCNu64 " %*31s %19s %" SCNu64 " %71s", &number, subject, &lines,
                           head) != 4 ||
                    strcmp(subject, check->subject) != 0)
                        continue;
                r = check_row(check, number, lines, head, err);
                has_last = has_last || number == check->anchor;
        }
        (void) fclose(file);
        if (r == 0 && !has_last)
                r = error_say(err, -EBADMSG, "the host's list does not have the last signature");
        return r;
}

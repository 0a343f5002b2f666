/*
 * anchors: see anchors.h. A history that was written anew, and signed anew by who had the front, has other
 * heads than those that were put into the list before.
 */
#include "cli/receipt/anchors.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/anchor.h"

typedef struct Walk {    /* through the list */
        uint64_t line;   /* of the file, from 1 */
        uint64_t last;   /* number; 0: none yet */
        uint64_t unread; /* the first line since then that cannot be read; 0: none */
        bool has_last;   /* the receipt's last signature was seen */
} Walk;

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

/* Numbers rise by one. A line that was written in part took no number along: nothing was signed for it. */
static int follow(Walk *walk, const Anchor *anchor, Error *err) {
        if (walk->last && anchor->number <= walk->last)
                return error_say(err, -EBADMSG,
                                 "line %" PRIu64 " of the host's list has the number %" PRIu64
                                 " after %" PRIu64 ": the numbers must rise",
                                 walk->line, anchor->number, walk->last);
        if (walk->unread && anchor->number != walk->last + 1)
                return error_say(err, -EBADMSG,
                                 "line %" PRIu64 " of the host's list cannot be read, and number "
                                 "%" PRIu64 " is not in the list",
                                 walk->unread, walk->last + 1);
        walk->last = anchor->number;
        walk->unread = 0;
        return 0;
}

static int look_at(Walk *walk, const Check *check, const char *row, size_t n, Error *err) {
        Anchor anchor;
        int r;

        walk->line++;
        if (n == 0 || row[n - 1] != '\n')
                return 0; /* being written, or never was: not signed yet */
        if (anchor_parse(row, n - 1, &anchor) < 0) {
                walk->unread = walk->unread ? walk->unread : walk->line;
                return 0;
        }
        r = follow(walk, &anchor, err);
        if (r < 0 || strcmp(anchor.subject, check->subject) != 0)
                return r;
        walk->has_last = walk->has_last || anchor.number == check->anchor;
        return check_row(check, anchor.number, anchor.lines, anchor.head, err);
}

static int missing(const Walk *walk, Error *err) {
        if (walk->unread)
                return error_say(err, -EBADMSG,
                                 "the host's list does not have the last signature; its line "
                                 "%" PRIu64 " cannot be read",
                                 walk->unread);
        return error_say(err, -EBADMSG, "the host's list does not have the last signature");
}

int anchors_check(const Check *check, const char *path, Error *err) {
        FILE *file = fopen(path, "re");
        autofree char *row = NULL;
        size_t room = 0;
        Walk walk = { 0 };
        ssize_t n;
        int r = 0;

        if (!file)
                return error_set(err, -errno, "open the list of heads");
        while (r == 0 && (n = getline(&row, &room, file)) > 0)
                r = look_at(&walk, check, row, (size_t) n, err);
        if (r == 0 && ferror(file))
                r = error_set(err, -EIO, "read the list of heads");
        (void) fclose(file);
        return r == 0 && !walk.has_last ? missing(&walk, err) : r;
}

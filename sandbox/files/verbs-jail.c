/* verbs-jail: see verbs-jail.h. */
#include "sandbox/files/verbs-jail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/changes.h"
#include "sandbox/files/pack.h"
#include "sandbox/files/places.h"

/* A jail on the host's root stands on the same skeleton as ours does */
static int open_old(const VerbArgs *args, Error *err) {
        int fd;

        if (!args->host)
                return place_open(args, "old", err);
        fd = open(args->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "open the root") : fd;
}

int verb_changes(const VerbArgs *args, Report *report, Error *err) {
        autoclose int upper = place_open(args, "upper", err);
        autoclose int old = upper < 0 ? -EBADF : open_old(args, err);
        const ChangesJob job = { .upper = upper,
                                 .old = old,
                                 .out = STDOUT_FILENO,
                                 .prefix = args->prefix ? args->prefix : "",
                                 .covered = &args->covered };

        if (upper < 0 || old < 0)
                return upper < 0 ? upper : old;
        (void) signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error with a sentence */
        return changes_run(&job, report, err);
}

int verb_pack(const VerbArgs *args, Report *report, Error *err) {
        autoclose int tree = args->tail ? -EBADF : place_open(args, "tree", err);
        uint8_t digest[DIGEST_SIZE];
        PackJob job = { .tree = tree,
                        .out = args->measure ? -EBADF : STDOUT_FILENO,
                        .layer = args->layer || args->measure || args->blob,
                        .blob = args->blob,
                        .size = args->size };

        (void) signal(SIGPIPE, SIG_IGN);
        if (args->tail)
                return pack_tail(STDIN_FILENO, STDOUT_FILENO, err);
        if (tree < 0)
                return tree;
        if (args->digest && digest_parse(args->digest, digest) < 0)
                return error_say(err, -EINVAL, "\"%.80s\" is no digest", args->digest);
        job.digest = args->digest ? digest : NULL;
        return pack_run(&job, report, err);
}

/* verbs: see verbs.h. */
#include "sandbox/files/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/results.h"
#include "sandbox/files/unpack.h"

/* One of the fixed places, a directory. The root is given by whoever started us, so links in it may be followed. */
static int open_place(const VerbArgs *args, const char *name, Error *err) {
        autoclose int root = open(args->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = root < 0 ? -errno : beneath_dir(root, name);

        return fd < 0 ? error_set(err, fd, "open the place /%s", name) : fd;
}

int verb_unpack(const VerbArgs *args, Report *report, Error *err) {
        autoclose int out = open_place(args, "out", err);
        UnpackJob job = { .in = STDIN_FILENO,
                          .out = out,
                          .prefix = args->prefix,
                          .limits = { .bytes = args->max_bytes, .entries = args->max_entries } };

        return out < 0 ? out : unpack_run(&job, report, err);
}

int verb_results(const VerbArgs *args, Report *report, Error *err) {
        return results_run(args->words[0], STDIN_FILENO, report, err);
}

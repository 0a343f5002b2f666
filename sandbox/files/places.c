/* places: see places.h. */
#include "sandbox/files/places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/names.h"

/* The root is given by whoever started us, so links in it may be followed. */
int place_open(const VerbArgs *args, const char *name, Error *err) {
        autoclose int root = open(args->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = root < 0 ? -errno : beneath_dir(root, name);

        return fd < 0 ? error_set(err, fd, "open the place /%s", name) : fd;
}

int place_open_below(const VerbArgs *args, const char *place, Error *err) {
        const char *given = args->words[0];
        autoclose int fd = place_open(args, place, err);
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(given, strlen(given), clean);
        int below;

        if (fd < 0)
                return fd;
        if (rule != RULE_NONE)
                return error_say(err, -EINVAL, "\"%s\" is no directory below /%s: %s", given, place,
                                 name_sentence(rule));
        below = beneath_dir(fd, clean);
        return below < 0 ? error_set(err, below, "open /%s/%s", place, clean) : below;
}

int place_forgive_missing(int fd, Error *err) {
        if (fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
                return fd;
        *err = ERROR_EMPTY;
        return 0;
}

/*
 * programs: see programs.h.
 */
#include "cli/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/places.h"

int program_dir(const char *name, const char *const *folders, Error *err) {
        char path[PLACE_MAX + 32];
        Places places;

        places_find(&places);
        for (; *folders; folders++) {
                autoclose int dir = -EBADF;

                (void) snprintf(path, sizeof(path), "%s%s",
                                places.options[0] ? places.values[0] : LIBEXECDIR, *folders);
                dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (dir >= 0 && faccessat(dir, name, X_OK, 0) == 0)
                        return TAKE_FD(dir);
        }
        return error_say(err, -ENOENT, "The program %s is not installed beside the others.", name);
}

/*
 * plants: see plants.h.
 */
#include "cli/probe/plants.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"

int plants_make(void) {
        static const struct {
                const char *path;
                const char *target;
        } links[] = {
                { PLANT_DIR "/root", "/proc/self/root" },  { PLANT_DIR "/init", "/proc/1/root" },
                { PLANT_DIR "/fd", "/proc/self/fd/3" },    { PLANT_DIR "/zero", "/dev/zero" },
                { PLANT_DIR "/dangling", "/tmp/nothing" }, { PLANT_DIR "/up", "../../../../.." },
        };
        autoclose int file = -EBADF;

        if (mkdir(PLANT_DIR, 0755) < 0 || chmod(PLANT_DIR, 0777) < 0 ||
            mkfifo(PLANT_DIR "/fifo", 0666) < 0)
                return 1;
        for (unsigned i = 0; i < ELEMENTS(links); i++)
                if (symlink(links[i].target, links[i].path) < 0)
                        return 1;
        file = open(PLANT_DIR "/plain", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        return file < 0 || write(file, "plain", 5) != 5 ? 1 : 0;
}

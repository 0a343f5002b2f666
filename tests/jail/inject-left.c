/*
 * inject-left: see inject-left.h. What cannot be counted counts as too much.
 */
#include "tests/jail/inject-left.h"

#include <stdio.h>

#include "base/owned.h"

static unsigned count(const char *command) {
        FILE *file = popen(command, "re");
        unsigned n = 0;

        if (!file || fscanf(file, "%u", &n) != 1)
                n = ~0u;
        if (file)
                (void) pclose(file);
        return n;
}

unsigned inject_left_groups(const InjectPlace *place) {
        char command[256];

        (void) snprintf(
                command, sizeof(command),
                "find /sys/fs/cgroup -path '*warder-%s/*' -type d -not -name '*.lock' | wc -l",
                place->name);
        return count(command);
}

unsigned inject_left_mounts(const InjectPlace *place) {
        char command[192];

        (void) snprintf(command, sizeof(command), "grep -cE '%s|warder-%s' /proc/self/mountinfo",
                        place->dir, place->name);
        return count(command);
}

unsigned inject_left_loops(const InjectPlace *place) {
        char command[192];

        (void) snprintf(command, sizeof(command),
                        "cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep -c '^%s'",
                        place->dir);
        return count(command);
}

unsigned inject_left_new(const InjectPlace *place) {
        char command[192];

        (void) snprintf(command, sizeof(command), "ls '%s/state/store/new' | wc -l", place->dir);
        return count(command);
}

unsigned inject_left_layers(const InjectPlace *place) {
        char command[256];

        (void) snprintf(command, sizeof(command),
                        "cd '%s/state/store' && "
                        "find new gone layers ../workspaces -mindepth 1 -maxdepth 1 | wc -l",
                        place->dir);
        return count(command);
}

unsigned inject_left_fds(int pid) {
        char command[64];

        (void) snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", pid);
        return count(command);
}

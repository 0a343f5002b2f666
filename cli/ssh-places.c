/*
 * ssh-places: see ssh-places.h.
 */
#include "cli/ssh-places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int ssh_places_find(SshPlaces *ret, Error *err) {
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        bool is_set = state && state[0] == '/';
        const char *base = is_set ? state : home;
        SshPlaces places;
        int n;

        if (!base || base[0] != '/')
                return error_say(err, -EINVAL,
                                 "Neither XDG_STATE_HOME nor HOME names a directory: the key of "
                                 "this host's jails has no place.");
        n = snprintf(places.dir, sizeof(places.dir), "%s%s/warder/ssh", base,
                     is_set ? "" : "/.local/state");
        if (n < 0 || (size_t) n >= sizeof(places.dir))
                return error_say(err, -ENAMETOOLONG,
                                 "The name of the state directory is too long.");
        (void) snprintf(places.key, sizeof(places.key), "%s/host_key", places.dir);
        (void) snprintf(places.known_hosts, sizeof(places.known_hosts), "%s/known_hosts",
                        places.dir);
        *ret = places;
        return 0;
}

/*
 * reconnect: see reconnect.h. Nothing says when a supervisor is there again, so it is tried four times a second.
 */
#include "cli/reconnect.h"

#include <errno.h>

#include "base/units.h"
#include "cli/connect.h"

#define AGAIN_MSEC 250
#define MOST_USEC  60000000u

int reconnect(Link *link, const char *socket, Error *err) {
        uint64_t end = units_monotonic() + MOST_USEC, next = 0;
        int r = -ECONNRESET;

        link->stopped = false;
        link->peer = rpc_peer_free(link->peer);
        while (!link->stopped && units_monotonic() < end) {
                if (units_monotonic() >= next) {
                        r = connect_supervisor(socket, &link->peer, err);
                        if (r == 0)
                                return 0;
                        next = units_monotonic() + AGAIN_MSEC * 1000u;
                }
                link_pause(link, AGAIN_MSEC);
        }
        return link->stopped ? LINK_E_STOPPED : r;
}

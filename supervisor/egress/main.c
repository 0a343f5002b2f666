/*
 * warder-egress: the only process of warder that talks to a network, and the only one that sees a model
 * key. It takes two kinds of HTTP request from an agent's jail, adds the key, and passes the answer back
 * (request.h, connection.c). It reads HTTP and the front's fixed structs, nothing else: bodies are passed
 * through unread, but for the count of tokens at their end (usage.h).
 *
 * Started by the monitor with its own id, no capability and no_new_privs:
 *
 *   3  SEQPACKET to the front
 *   4  sealed memfd: its seccomp filter
 */
#include <curl/curl.h>
#include <errno.h>
#include <systemd/sd-event.h>

#include "base/lockdown.h"
#include "base/log.h"
#include "supervisor/egress/front-link.h"
#include "supervisor/egress/transfer.h"

enum { FD_FRONT = 3, FD_FILTER };

DEFINE_SCOPED(sd_event *, sd_event_unref);

static int serve(Error *err) {
        SCOPED(sd_event_unref) sd_event *event = NULL;
        SCOPED(multi_free) Multi *multi = NULL;
        SCOPED(front_link_free) FrontLink *link = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return error_set(err, r, "make an event loop");
        r = multi_new(event, &multi, err);
        if (r < 0)
                return r;
        multi_on_end(multi, transfer_ended);
        r = front_link_new(FD_FRONT, event, multi, &link, err);
        if (r < 0)
                return r;
        return sd_event_loop(event);
}

/* TLS is set up before the filter is loaded, so that the filter need not allow what that takes. */
static int start(Error *err) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_say(err, -EIO, "libcurl does not start");
        return lock_down(FD_FRONT, FD_FILTER, err);
}

int main(void) {
        Error err = ERROR_EMPTY;
        int r;

        log_open("warder-egress", LOG_INFO);
        r = start(&err);
        if (r >= 0)
                r = serve(&err);
        if (r < 0)
                log_event(LOG_ERR, "egress does not run", F_ERR(&err));
        return r == 0 ? 0 : 1;
}

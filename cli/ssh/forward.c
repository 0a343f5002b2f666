/*
 * forward: see forward.h.
 *
 * libssh wants its answer before it goes on, so a moment is waited for the jail's word that the connection stands. Where
 * that does not come (a server that is slow to accept), the client is told yes, and its channel ends if it was no.
 *
 * A refusal of libssh's always says "administratively prohibited" and no reason: that goes to our stderr, which ssh
 * shows on its own.
 */
#include "cli/ssh/forward.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "cli/ssh/requests.h"
#include "cli/ssh/start.h"
#include "cli/terminal.h"

#define MOMENT_MSEC 500
#define PORT_MAX    65535

/* Names of the jail's own loopback; it has no other network */
static bool is_loopback(const char *host) {
        static const char *const names[] = { "127.0.0.1", "localhost", "::1" };

        for (unsigned i = 0; host && i < ELEMENTS(names); i++)
                if (strcmp(host, names[i]) == 0)
                        return true;
        return false;
}

static int ask(Lane *lane, int port, Error *err) {
        Ask ask = { .method = "jail.connect", .n_fds = ELEMENTS(lane->theirs) };
        int r = start_pipes(lane, err);

        if (r < 0)
                return r;
        ask.params = cJSON_CreateObject();
        json_add_text(ask.params, "jail", lane->server->jail);
        json_add_number(ask.params, "port", (uint64_t) port);
        memcpy(ask.fds, lane->theirs, sizeof(lane->theirs));
        r = link_begin(&lane->server->link, &ask, &lane->request, err);
        fds_close(lane->theirs, ELEMENTS(lane->theirs));
        return r;
}

static int refuse(const char *host, int port, const char *why) {
        terminal_say("no connection to %.100s port %d of the jail: %s", host ? host : "?", port,
                     why);
        return -ECONNREFUSED;
}

/* One byte: 0 it stands, else why not; none at all: nobody carries it, and the supervisor's answer says why */
static bool is_refused(const Lane *lane, int port) {
        struct pollfd word = { .fd = lane->fds[2], .events = POLLIN };
        unsigned char byte = 0;

        if (poll(&word, 1, MOMENT_MSEC) <= 0)
                return false;
        if (read(word.fd, &byte, 1) != 1)
                return true;
        if (byte != 0)
                (void) refuse("localhost", port, strerror(byte));
        return byte != 0;
}

/* Its lane is forgotten when the supervisor has answered */
static int open_lane(Lane *lane, ssh_message message, int port) {
        Error err = ERROR_EMPTY;

        lane->is_forward = true;
        lane->state = LANE_CLOSED;
        if (ask(lane, port, &err) < 0)
                (void) refuse("localhost", port, err.text);
        else if (!is_refused(lane, port))
                lane->ssh = ssh_message_channel_request_open_reply_accept(message);
        if (!lane->ssh) {
                fds_close(lane->fds, ELEMENTS(lane->fds));
                return -ECONNREFUSED;
        }
        fds_close(&lane->fds[2], 1);
        lane->state = LANE_RUNNING;
        requests_attach(lane);
        return 0;
}

int forward_open(Server *server, ssh_message message) {
        const char *host = ssh_message_channel_request_open_destination(message);
        int port = ssh_message_channel_request_open_destination_port(message);
        Lane *lane;

        if (!is_loopback(host))
                return refuse(host, port, "its only network is its own: give localhost");
        if (port <= 0 || port > PORT_MAX)
                return refuse(host, port, "there is no such port");
        lane = lane_new(server, NULL);
        if (!lane)
                return refuse(host, port, "as many channels are open as may be: close one");
        return open_lane(lane, message, port);
}

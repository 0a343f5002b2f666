/*
 * server: see server.h.
 *
 * One poll loop. libssh is given a socket of a pair, non-blocking, whose other end is carried to stdin and stdout; it
 * is called where that socket has something or takes something, and never waits.
 *
 * Nobody is authenticated: whoever holds the other end of our stdin started us, and what we may do is what the kernel
 * says of us at the supervisor's socket. The keys are there because ssh speaks nothing without, and the host's key so
 * that nothing else which ssh may be made to start can pass for this.
 */
#include "cli/ssh/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fds.h"
#include "cli/jail-options.h"
#include "cli/ssh-places.h"
#include "cli/ssh/forward.h"
#include "cli/ssh/requests.h"
#include "cli/ssh/start.h"

#define FIXED_POLLS 4
#define LAST_MSEC   1000 /* for a client that takes our last words slowly */

/* ---- who comes in ---------------------------------------------------------------------------------- */

/* What it makes of a refusal itself is "Permission denied (publickey)", and there is no key to be had */
static void say_who(ssh_session session) {
        static const char text[] =
                "warder: users of a jail are numbers: log in without a user as the jail's own, as "
                "root (or 0), or as UID or UID:GID.\n";
        ssh_string banner = ssh_string_from_char(text);

        if (banner)
                (void) ssh_send_issue_banner(session, banner);
        ssh_string_free(banner);
}

/* Whose names these are is the image's to say, but for the one that is a number everywhere */
static int read_user(const char *user, cJSON *object) {
        if (strcmp(user, SSH_USER) == 0)
                return 0;
        return jail_options_user(strcmp(user, "root") == 0 ? "0" : user, object, NULL);
}

static int on_login(ssh_session session, const char *user, void *userdata) {
        Server *server = userdata;
        SCOPED(json_free) cJSON *object = cJSON_CreateObject();

        if (read_user(user, object) != 0) {
                say_who(session);
                return SSH_AUTH_DENIED;
        }
        (void) json_free(server->user);
        server->user = cJSON_DetachItemFromObjectCaseSensitive(object, "user");
        server->logged_in = true;
        return SSH_AUTH_SUCCESS;
}

static ssh_channel on_session(ssh_session session, void *userdata) {
        Server *server = userdata;
        ssh_channel ssh = server->logged_in ? ssh_channel_new(session) : NULL;
        Lane *lane = ssh ? lane_new(server, ssh) : NULL;

        if (lane)
                requests_attach(lane);
        else if (ssh)
                ssh_channel_free(ssh);
        return lane ? ssh : NULL;
}

/* All else that a client may ask is refused: libssh does it where we return 1 */
static int on_message(ssh_session session, ssh_message message, void *userdata) {
        Server *server = userdata;
        bool is_forward = ssh_message_type(message) == SSH_REQUEST_CHANNEL_OPEN &&
                          ssh_message_subtype(message) == SSH_CHANNEL_DIRECT_TCPIP;

        (void) session;
        return is_forward && server->logged_in && forward_open(server, message) == 0 ? 0 : 1;
}

/* ---- opening --------------------------------------------------------------------------------------- */

static int open_bind(Server *server, ssh_key key, Error *err) {
        const bool no = false;

        server->bind = ssh_bind_new();
        server->session = ssh_new();
        server->event = ssh_event_new();
        if (!server->bind || !server->session || !server->event ||
            ssh_bind_options_set(server->bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) < 0) {
                ssh_key_free(key);
                return error_set(err, -ENOMEM, "serve ssh");
        }
        if (ssh_bind_options_set(server->bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) < 0) {
                ssh_key_free(key);
                return error_say(err, -EINVAL, "The host key cannot be used: %.200s",
                                 ssh_get_error(server->bind));
        }
        return 0;
}

static int open_socket(Server *server, int *ret_theirs, Error *err) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ||
            fd_set_nonblock(STDIN_FILENO, true) < 0 || fd_set_nonblock(STDOUT_FILENO, true) < 0)
                return error_set(err, -errno, "serve stdin and stdout");
        server->sock = ends[0];
        *ret_theirs = ends[1];
        server->in = (Carry){ .from = STDIN_FILENO, .to = ends[0], .to_is_socket = true };
        server->out = (Carry){ .from = ends[0], .to = STDOUT_FILENO };
        return 0;
}

int server_open(Server *server, const char *jail, ssh_key key, Error *err) {
        int theirs = -EBADF, r;

        server->jail = jail;
        server->sock = server->in.from = server->out.from = -EBADF;
        r = open_bind(server, key, err);
        if (r == 0)
                r = open_socket(server, &theirs, err);
        if (r < 0)
                return r;
        ssh_set_blocking(server->session, 0);
        if (ssh_bind_accept_fd(server->bind, server->session, theirs) != SSH_OK)
                return error_say(err, -EIO, "ssh cannot be served: %.200s",
                                 ssh_get_error(server->bind));
        server->callbacks = (struct ssh_server_callbacks_struct){
                .userdata = server,
                .auth_none_function = on_login,
                .channel_open_request_session_function = on_session,
        };
        ssh_callbacks_init(&server->callbacks);
        (void) ssh_set_server_callbacks(server->session, &server->callbacks);
        ssh_set_message_callback(server->session, on_message, server);
        /* what a refusal names, so that it has a name: libssh writes no list without one. No key is ever taken */
        ssh_set_auth_methods(server->session, SSH_AUTH_METHOD_PUBLICKEY);
        start_attach(server);
        return 0;
}

void server_close(Server *server) {
        while (server->lanes) {
                Lane *lane = server->lanes;

                server->lanes = lane->next;
                (void) lane_free(lane);
        }
        if (server->event)
                ssh_event_free(server->event);
        ssh_free(server->session);
        ssh_bind_free(server->bind);
        fds_close(&server->sock, 1);
        server->user = json_free(server->user);
}

/* ---- the loop -------------------------------------------------------------------------------------- */

bool server_may_write(const Server *server) {
        return server->exchanged && !(ssh_get_poll_flags(server->session) & SSH_WRITE_PENDING);
}

static void serve_ssh(Server *server) {
        int r;

        if (server->exchanged) {
                if (ssh_event_dopoll(server->event, 0) == SSH_ERROR)
                        server->ended = true;
        } else {
                r = ssh_handle_key_exchange(server->session);
                server->exchanged = r == SSH_OK;
                if (r == SSH_ERROR)
                        server->ended = true;
                if (r == SSH_OK)
                        (void) ssh_event_add_session(server->event, server->session);
        }
        if (ssh_get_status(server->session) & (SSH_CLOSED | SSH_CLOSED_ERROR))
                server->ended = true;
}

static void forget_lanes(Server *server) {
        for (Lane **at = &server->lanes; *at;) {
                Lane *lane = *at;

                if (!lane_is_over(lane)) {
                        at = &lane->next;
                        continue;
                }
                *at = lane->next;
                (void) lane_free(lane);
                server->n_lanes--;
        }
}

static void serve_lanes(Server *server) {
        start_waiting(server);
        for (Lane *lane = server->lanes; lane; lane = lane->next)
                if (lane->ssh)
                        lane_step(lane);
        forget_lanes(server);
}

/* What to wait for; returns whether there is something to do at once */
static bool want(Server *server, struct pollfd *polls, nfds_t *ret_n) {
        bool pending = ssh_get_poll_flags(server->session) & SSH_WRITE_PENDING;
        bool busy = false;
        nfds_t n = FIXED_POLLS;

        polls[0] = carry_want(&server->in);
        polls[1] = carry_want(&server->out);
        polls[2] = (struct pollfd){ .fd = ssh_get_fd(server->session),
                                    .events = (short) (POLLIN | (pending ? POLLOUT : 0)) };
        polls[3] = (struct pollfd){ .fd = rpc_peer_fd(server->link.peer),
                                    .events = (short) rpc_peer_events(server->link.peer) };
        for (Lane *lane = server->lanes; lane; lane = lane->next) {
                lane_want(lane, polls + n);
                busy = busy || lane_is_busy(lane);
                n += LANE_POLLS;
        }
        *ret_n = n;
        return busy;
}

static int serve_round(Server *server, Error *err) {
        struct pollfd polls[FIXED_POLLS + LANE_POLLS * LANES_MAX];
        nfds_t n = 0;
        bool busy = want(server, polls, &n);
        int r = 0;

        if (poll(polls, n, busy ? 0 : -1) < 0)
                return errno == EINTR ? 0 : error_set(err, -errno, "wait for the client");
        if (polls[0].revents)
                carry_step(&server->in);
        serve_ssh(server);
        if (polls[3].revents)
                r = link_receive(&server->link, err);
        if (r == 0)
                serve_lanes(server);
        carry_step(&server->out);
        if (server->out.from < 0)
                server->ended = true;
        return r;
}

/* What libssh has written and the client has not read */
static void say_last(Server *server) {
        if (ssh_get_status(server->session) & (SSH_CLOSED | SSH_CLOSED_ERROR))
                return;
        ssh_disconnect(server->session);
        for (carry_step(&server->out); carry_has_bytes(&server->out); carry_step(&server->out)) {
                struct pollfd wait = carry_want(&server->out);

                if (poll(&wait, 1, LAST_MSEC) <= 0)
                        return;
        }
}

int server_run(Server *server, Error *err) {
        int r = 0;

        while (r == 0 && !server->ended)
                r = serve_round(server, err);
        if (r == 0 && !server->exchanged)
                r = error_say(err, -EPROTO, "What came on standard input is no ssh client: %.200s",
                              ssh_get_error(server->session));
        say_last(server);
        return r < 0 ? r : 0;
}

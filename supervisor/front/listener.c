/*
 * listener: see listener.h.
 */
#include "supervisor/front/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"
#include "supervisor/front/admission.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/policy/accounts.h"

#define PAUSE_USEC 1000000

void listener_resume(Front *front) {
        if (!front->listen_again)
                return;
        (void) sd_event_source_set_enabled(front->listen_again, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(front->listen, SD_EVENT_ON);
}

static int on_listen_again(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        listener_resume(userdata);
        return 0;
}

/* Who waits at the socket keeps it readable: without a pause the loop would do nothing else. */
static void pause_listening(Front *front, int why) {
        Error err = ERROR_EMPTY;

        error_set(&err, why, "accept a client");
        log_event(LOG_WARNING, "no client is accepted for a second", F_ERR(&err));
        (void) sd_event_source_set_time_relative(front->listen_again, PAUSE_USEC);
        (void) sd_event_source_set_enabled(front->listen_again, SD_EVENT_ONESHOT);
        (void) sd_event_source_set_enabled(front->listen, SD_EVENT_OFF);
}

/* Say why before closing: the kernel keeps the line for the peer. Nothing of the peer is read. */
static void turn_away(int fd, const Error *err) {
        SCOPED(json_free) cJSON *data = cJSON_CreateObject();
        SCOPED(json_free) cJSON *answer = NULL;
        autofree char *line = NULL;

        json_add_text(data, "code", err->code == -EDQUOT ? "quota" : "denied");
        answer = rpc_error(NULL, RPC_OURS, err->text, TAKE_PTR(data));
        line = answer ? json_print(answer) : NULL;
        if (!line)
                return;
        (void) send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
        (void) send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Whose a connection is that was not admitted. */
static uint32_t uid_of(int fd) {
        struct ucred cred = { 0 };
        socklen_t size = sizeof cred;

        (void) getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
        return cred.uid;
}

/* Who comes, and is there room for it? */
static int admit(Front *front, int fd, ClientAdmitted *admitted, Error *err) {
        CeilingWho who;
        int r;

        r = admission_check(front, fd, &admitted->peer, &admitted->groups, err);
        if (r >= 0)
                r = clients_check_room(front, &admitted->peer, err);
        if (r < 0)
                return r;
        who = (CeilingWho){ admitted->peer.uid, admitted->groups.gids, admitted->groups.n };
        return account_join(front->accounts, &who, &admitted->account, err);
}

static int on_listen(sd_event_source *source, int listen_fd, uint32_t revents, void *userdata) {
        Front *front = userdata;
        Error err = ERROR_EMPTY;
        ClientAdmitted admitted;
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int r;

        (void) source;
        (void) revents;
        if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        pause_listening(front, -errno);
                return 0;
        }
        r = admit(front, fd, &admitted, &err);
        if (r < 0) {
                log_event(LOG_WARNING, "client turned away", F_ERR(&err));
                turn_away(fd, &err);
                closer_close_socket(front->closer, uid_of(fd), fd);
                return 0;
        }
        r = client_new_consume(front, fd, &admitted, &err);
        if (r < 0)
                log_event(LOG_WARNING, "client turned away", F_ERR(&err));
        front_touch(front);
        return 0;
}

int listener_start(Front *front, int listen_fd, Error *err) {
        int r = fd_set_nonblock(listen_fd, true);

        if (r >= 0)
                r = sd_event_add_io(front->event, &front->listen, listen_fd, EPOLLIN, on_listen,
                                    front);
        if (r >= 0)
                r = sd_event_source_set_description(front->listen, "listen");
        if (r >= 0)
                r = sd_event_add_time_relative(front->event, &front->listen_again, CLOCK_MONOTONIC,
                                               0, 0, on_listen_again, front);
        if (r >= 0)
                r = sd_event_source_set_enabled(front->listen_again, SD_EVENT_OFF);
        if (r >= 0) /* a front that cannot accept any more is of no use */
                r = sd_event_source_set_exit_on_failure(front->listen, true);
        return r < 0 ? error_set(err, r, "listen for clients") : 0;
}

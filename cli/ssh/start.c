/*
 * start: see start.h. What a command gets is what "warder exec" and "warder shell" give it: a terminal that is a
 * pair of ours, or three pipes.
 */
#include "cli/ssh/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "base/fds.h"
#include "cli/login-shell.h"
#include "cli/outcome.h"
#include "cli/pty.h"
#include "cli/stdio.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

#define SENTENCE_MAX 1024

/* ---- what it reads and writes ---------------------------------------------------------------------- */

static int open_terminal(Lane *lane, Error *err) {
        struct termios settings;
        int r = pty_pair(&lane->fds[0], &lane->theirs[0], err);

        if (r < 0)
                return r;
        if (tcgetattr(lane->theirs[0], &settings) == 0) {
                settings.c_iflag |= IUTF8;
                (void) tcsetattr(lane->theirs[0], TCSANOW, &settings);
        }
        (void) ioctl(lane->fds[0], TIOCSWINSZ, &lane->size);
        lane->fds[1] = fcntl(lane->fds[0], F_DUPFD_CLOEXEC, 3);
        return lane->fds[1] < 0 ? error_set(err, -errno, "read the terminal of the command") : 0;
}

static int open_pipes(Lane *lane, Error *err) {
        for (unsigned i = 0; i < ELEMENTS(lane->fds); i++) {
                int ends[2];
                int r = stdio_pipe(ends, err);

                if (r < 0)
                        return r;
                lane->fds[i] = ends[i == 0];
                lane->theirs[i] = ends[i != 0];
        }
        return 0;
}

static int never_wait(Lane *lane, Error *err) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < ELEMENTS(lane->fds); i++)
                if (lane->fds[i] >= 0)
                        r = fd_set_nonblock(lane->fds[i], true);
        return r < 0 ? error_set(err, r, "open what a command reads and writes") : 0;
}

int start_pipes(Lane *lane, Error *err) {
        int r = open_pipes(lane, err);

        return r < 0 ? r : never_wait(lane, err);
}

static int open_stdio(Lane *lane, Error *err) {
        int r = lane->tty ? open_terminal(lane, err) : open_pipes(lane, err);

        return r < 0 ? r : never_wait(lane, err);
}

/* ---- the request ----------------------------------------------------------------------------------- */

static const uint64_t *user_of(const Server *server, uint64_t *uid) {
        return json_number(server->user, "uid", uid) == 0 ? uid : NULL;
}

/* The shell of that user; 0, or negative errno */
static int add_shell(Lane *lane, Error *err) {
        Server *server = lane->server;
        char shell[LOGIN_SHELL_MAX] = "";
        uint64_t uid = 0;
        int r;

        if (cJSON_GetArraySize(lane->argv) > 0)
                return 0;
        r = login_shell_find(&server->link, server->jail, user_of(server, &uid), shell, err);
        if (r == 0)
                json_push_text(lane->argv, shell);
        return r > 0 ? -EREMOTEIO : r;
}

static cJSON *make_params(Lane *lane) {
        const Server *server = lane->server;
        cJSON *params = cJSON_CreateObject(), *words;

        json_add_text(params, "jail", server->jail);
        json_add_consume(params, "argv", TAKE_PTR(lane->argv));
        if (lane->env)
                json_add_consume(params, "env", TAKE_PTR(lane->env));
        if (server->user)
                json_add_consume(params, "user", cJSON_Duplicate(server->user, true));
        if (lane->tty)
                json_add_bool(params, "tty", true);
        words = json_add_array(params, "stdio");
        for (unsigned i = 0; i < ELEMENTS(lane->theirs); i++)
                json_push_text(words, "fd");
        return params;
}

static int send_command(Lane *lane, Error *err) {
        Ask ask = { .method = "jail.exec", .n_fds = ELEMENTS(lane->theirs) };
        int r = add_shell(lane, err);

        if (r == 0)
                r = open_stdio(lane, err);
        if (r < 0)
                return r;
        ask.params = make_params(lane);
        for (unsigned i = 0; i < ask.n_fds; i++)
                ask.fds[i] = lane->theirs[lane->tty ? 0 : i];
        r = link_begin(&lane->server->link, &ask, &lane->request, err);
        fds_close(lane->theirs, ELEMENTS(lane->theirs));
        return r;
}

void start_waiting(Server *server) {
        for (Lane *lane = server->lanes; lane; lane = lane->next) {
                Error err = ERROR_EMPTY;

                if (lane->state != LANE_WAITING || lane->gone)
                        continue;
                lane->state = LANE_STARTING;
                if (send_command(lane, &err) < 0)
                        lane_fail(lane, EXIT_RUN_FAILED, err.text);
        }
}

/* ---- what is said of it ---------------------------------------------------------------------------- */

static void send_signal(Lane *lane) {
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", lane->jail);
        json_add_text(params, "command", lane->command);
        json_add_number(params, "signal", (uint64_t) lane->signal);
        link_tell(&lane->server->link, "jail.signal", params);
        lane->signal = 0;
}

void start_signal(Lane *lane, int signal) {
        if (lane->is_forward || lane->state == LANE_ENDED || lane->state == LANE_CLOSED)
                return;
        lane->signal = signal;
        if (lane->command[0])
                send_signal(lane);
}

static void copy_id(char *to, const char *from) {
        if (from && strlen(from) < ID_MAX)
                memcpy(to, from, strlen(from) + 1);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Server *server = userdata;
        uint64_t request = 0;

        (void) link;
        if (strcmp(method, "command.started") != 0 || json_number(params, "request", &request) < 0)
                return;
        for (Lane *lane = server->lanes; lane; lane = lane->next) {
                if (lane->request != request || lane->state != LANE_STARTING)
                        continue;
                lane->state = LANE_RUNNING;
                copy_id(lane->jail, json_text(params, "jail"));
                copy_id(lane->command, json_text(params, "command"));
                if (lane->signal)
                        send_signal(lane);
                return;
        }
}

/* By a signal that it, or somebody, sent: SSH has a word of its own for that */
static bool is_signal(const cJSON *record) {
        const char *cause = json_text(record, "cause");

        return cause && (strcmp(cause, "signaled") == 0 || strcmp(cause, "killed_by_client") == 0);
}

static void take_record(Lane *lane, const cJSON *record) {
        const OutcomeFacts facts = { .name = "the command", .is_in_jail = true };
        autobuf Buf text = BUF_EMPTY(SENTENCE_MAX);
        uint64_t number = 0;

        lane->state = LANE_ENDED;
        lane->code = outcome_exit_code(record);
        if (is_signal(record) && json_number(record, "signal", &number) == 0)
                lane->killed_by = (int) number;
        outcome_sentence(record, &facts, &text);
        if (text.len > 0 && !lane->killed_by)
                lane->text = buf_take(&text);
}

static void on_answer(Link *link, uint64_t id, RpcMessage *message, void *userdata) {
        const cJSON *error = json_get(message->json, "error");
        Server *server = userdata;
        Error why = ERROR_EMPTY;

        (void) link;
        for (Lane *lane = server->lanes; lane; lane = lane->next) {
                if (lane->request != id)
                        continue;
                lane->request = 0;
                if (error)
                        link_why(lane->is_forward ? "jail.connect" : "jail.exec", error, &why);
                if (lane->is_forward) { /* what it carried ends by itself */
                        if (error)
                                terminal_say("a connection to the jail: %s", why.text);
                } else if (error) {
                        lane_fail(lane, EXIT_RUN_FAILED, why.text);
                } else {
                        take_record(lane, json_get(message->json, "result"));
                }
                return;
        }
}

void start_attach(Server *server) {
        server->link.on_note = on_note;
        server->link.on_answer = on_answer;
        server->link.userdata = server;
}

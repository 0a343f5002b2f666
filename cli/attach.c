/*
 * attach: init of the jail holds the command's terminal; we get a pipe with what it writes and one for what is typed, and
 * say how large our terminal is. The pipe of its output ends with the command, or where somebody else has the keys and we
 * were too slow: then we ask again, for its output alone, so that the keys stay with who took them.
 *
 * A command that we only went to goes on when we are told to end. One that we began is hung up by that, as by a window
 * that is closed: its terminal is taken from it. It is ended where it lives on for ten seconds, or at a second signal; the
 * third leaves without waiting, and the supervisor ends it because our connection is gone.
 */
#include "cli/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/put.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

#define KEPT_MAX      (16u << 20)
#define SHOWN_MAX     8192 /* of what it wrote before */
#define PAUSE_MSEC    50
#define SENTENCE_MAX  1024
#define HANG_UP_USEC  10000000
#define SECOND        1000000u
#define WAIT_USEC     (3600u * SECOND) /* at once; limits of time are longer than an int of msec */
#define KEYS_OF_MODES 19               /* c_cc, as the kernel has it */

static cJSON *make_params(const Attach *attach) {
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", attach->jail);
        json_add_text(params, "command", attach->command);
        return params;
}

/* @more: rows beside the ones that there are */
static void add_size(cJSON *json, unsigned more) {
        struct winsize size = { 0 };

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                return;
        json_add_number(json, "rows", size.ws_row < UINT16_MAX ? size.ws_row + more : size.ws_row);
        json_add_number(json, "columns", size.ws_col);
}

static void tell(Attach *attach, const char *what) {
        cJSON *params = make_params(attach);

        add_size(params, 0);
        json_add_bool(params, what, true);
        link_tell(&attach->link, "jail.attach", params);
}

/* ---- the end of it, and ours ---------------------------------------------------------------------- */

static void kill_it(Attach *attach) {
        cJSON *params = make_params(attach);

        json_add_number(params, "signal", SIGKILL);
        link_tell(&attach->link, "jail.signal", params);
}

static void hang_up(Attach *attach) {
        if (attach->hung_up_usec)
                return;
        pty_restore(&attach->pty);
        fds_close(&attach->keys, 1);
        tell(attach, "hang_up");
        attach->hung_up_usec = units_monotonic();
}

/* Nobody is there any more who could type or read */
static void lose_terminal(Attach *attach) {
        attach->lost = true;
        if (attach->held)
                hang_up(attach);
        else
                attach->leave = true;
}

static void take_end_signal(Attach *attach, int signal) {
        attach->n_signals++;
        attach->last_signal = signal;
        if (!attach->held) {
                attach->leave = true;
        } else if (attach->n_signals > 2 || !attach->command[0]) {
                attach->ended = true;
                attach->code = EXIT_SIGNAL + signal;
        } else if (attach->n_signals == 2) {
                terminal_say("ending it now; once more leaves without waiting");
                kill_it(attach);
                return;
        } else {
                hang_up(attach);
                return;
        }
        link_stop(&attach->link);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Attach *attach = userdata;

        (void) link;
        if (signal == SIGTSTP) {
                pty_restore(&attach->pty);
                (void) raise(SIGSTOP);
        } else if (signal == SIGCONT || signal == SIGWINCH) {
                if (signal == SIGCONT && attach->keys >= 0) /* else nobody reads what is typed */
                        pty_raw(&attach->pty);
                if (attach->command[0])
                        tell(attach, "resize");
        } else {
                take_end_signal(attach, signal);
        }
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static void pass_keys(Attach *attach) {
        struct pollfd room = { .fd = attach->keys, .events = POLLOUT };
        ssize_t done;

        /* POLLOUT of a pipe says that so much does not wait */
        if (attach->start == attach->end || poll(&room, 1, 0) <= 0)
                return;
        done = write(attach->keys, attach->bytes + attach->start, attach->end - attach->start);
        if (done > 0) {
                attach->start += (size_t) done;
        } else if (done < 0 && errno != EINTR && errno != EAGAIN) {
                fds_close(&attach->keys, 1);
                pty_restore(&attach->pty);
        }
}

/* Takes what was typed, less the keys that leave */
static void take_keys(Attach *attach) {
        char typed[ATTACH_BYTES / 2];
        ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) { /* no terminal any more, or the end of a file */
                fds_close(&attach->keys, 1);
                if (attach->pty.terminal >= 0)
                        lose_terminal(attach);
                return;
        }
        attach->start = 0;
        if (detach_keys_feed(&attach->leaving, typed, (size_t) n, attach->bytes, &attach->end)) {
                attach->leave = true;
                pass_keys(attach); /* what was typed before them */
        }
}

static void pass_held(Attach *attach) {
        if (attach->start < attach->end || units_monotonic() < detach_keys_due(&attach->leaving))
                return;
        attach->start = 0;
        attach->end = detach_keys_release(&attach->leaving, attach->bytes);
}

/* ---- output --------------------------------------------------------------------------------------- */

static int show(Attach *attach, const char *bytes, size_t n) {
        return attach->lost || attach->hung_up_usec ? 0 : put_bytes(bytes, n);
}

/* What it wrote before we came, its last part; later, what we were too slow for */
static int show_kept(Attach *attach, const Answer *answer, Error *err) {
        autofree char *bytes = NULL;
        uint64_t seen = 0, missing;
        size_t n = 0, most;
        int r = fd_read_all_at(answer->message.fds[0], 0, KEPT_MAX, &bytes, &n);

        if (r < 0)
                return error_set(err, r, "read what was kept");
        (void) json_number(answer->result, "seen", &seen);
        missing = seen > attach->seen ? seen - attach->seen : 0;
        most = attach->again || n < SHOWN_MAX ? n : SHOWN_MAX;
        if (missing < most)
                most = (size_t) missing;
        r = show(attach, bytes + n - most, most);
        attach->seen = seen;
        attach->again = true;
        return r < 0 ? error_set(err, r, "write what it wrote") : 0;
}

static void pass_output(Attach *attach) {
        char bytes[ATTACH_BYTES];
        ssize_t n = read(attach->output, bytes, sizeof(bytes));

        if (n < 0 && errno == EINTR)
                return;
        if (n <= 0) {
                fds_close(&attach->output, 1);
                return;
        }
        attach->seen += (uint64_t) n;
        if (show(attach, bytes, (size_t) n) < 0)
                lose_terminal(attach);
}

/* ---- all of it ------------------------------------------------------------------------------------ */

/* Who was hung up a while ago and lives on is ended */
static void end_deaf(Attach *attach) {
        uint64_t now = units_monotonic();

        if (!attach->hung_up_usec || now < attach->hung_up_usec + HANG_UP_USEC)
                return;
        kill_it(attach);
        attach->hung_up_usec = now;
}

/* Somebody sits at it */
static bool is_watched(const Attach *attach) {
        return attach->keys >= 0 && attach->pty.terminal >= 0 && !attach->lost &&
               !attach->hung_up_usec;
}

static int wait_msec(const Attach *attach) {
        uint64_t due = attach->start < attach->end ? UINT64_MAX : detach_keys_due(&attach->leaving);
        uint64_t now = units_monotonic();

        if (attach->hung_up_usec && attach->hung_up_usec + HANG_UP_USEC < due)
                due = attach->hung_up_usec + HANG_UP_USEC;
        if (is_watched(attach) && time_left_due(&attach->left) < due)
                due = time_left_due(&attach->left);
        if (due == UINT64_MAX)
                return -1;
        if (due > now + WAIT_USEC)
                return WAIT_USEC / 1000;
        return due <= now ? 0 : (int) ((due - now) / 1000) + 1;
}

static int serve(Attach *attach, Error *err) {
        bool writes = attach->start < attach->end;
        struct pollfd polls[] = {
                { .fd = attach->output, .events = POLLIN },
                { .fd = attach->link.signals, .events = POLLIN },
                { .fd = writes ? attach->keys : -1, .events = POLLOUT },
                { .fd = !writes && attach->keys >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
                { .fd = rpc_peer_fd(attach->link.peer),
                  .events = (short) rpc_peer_events(attach->link.peer) },
        };
        int r = 0;

        if (poll(polls, ELEMENTS(polls), wait_msec(attach)) < 0)
                return 0;
        if (polls[0].revents)
                pass_output(attach);
        if (polls[1].revents)
                link_pause(&attach->link, 0);
        if (polls[2].revents)
                pass_keys(attach);
        if (polls[3].revents)
                take_keys(attach);
        if (polls[4].revents)
                r = link_receive(&attach->link, err);
        pass_held(attach);
        return r;
}

static void take_end(Attach *attach, const cJSON *record) {
        Buf sentence = BUF_EMPTY(SENTENCE_MAX);

        attach->ended = true;
        attach->code = outcome_exit_code(record);
        pty_restore(&attach->pty);
        if (attach->n_signals > 1) /* we ended it: what became of it is no news */
                attach->code = EXIT_SIGNAL + attach->last_signal;
        else
                outcome_sentence(record, &attach->facts, &sentence);
        if (sentence.len > 0)
                terminal_say("%s", sentence.data);
        buf_deinit(&sentence);
}

/* What draws on all of a terminal does so again when it gets another size: for one row more, and then for the right one */
static void take_pipes(Attach *attach, Answer *answer, bool is_first) {
        attach->output = TAKE_FD(answer->message.fds[1]);
        attach->followed = true;
        if (answer->message.n_fds < 3)
                return;
        fds_close(&attach->keys, 1);
        attach->keys = TAKE_FD(answer->message.fds[2]);
        if (attach->hung_up_usec)
                return;
        pty_raw(&attach->pty);
        if (is_first)
                tell(attach, "resize");
}

/* Keys are asked for once: who was too slow had lost them before */
static Ask make_ask(const Attach *attach, bool is_first) {
        Ask ask = { .method = attach->followed ? "jail.logs" : "jail.attach",
                    .params = make_params(attach) };

        if (attach->followed)
                json_add_bool(ask.params, "follow", true);
        else if (!attach->hung_up_usec)
                add_size(ask.params, is_first);
        return ask;
}

static int ask(Attach *attach, unsigned *pause, Error *err) {
        bool is_first = !attach->again && attach->pty.terminal >= 0;
        Ask ask = make_ask(attach, is_first);
        Answer answer = ANSWER_EMPTY;
        int r;

        r = link_ask(&attach->link, &ask, &answer, err);
        if (r == 0)
                time_left_take(&attach->left, answer.result, units_monotonic(), !attach->held);
        if (r == 0 && answer.message.n_fds > 1)
                take_pipes(attach, &answer, is_first);
        if (r == 0 && answer.message.n_fds > 0)
                r = show_kept(attach, &answer, err);
        if (r == 0 && !json_true(answer.result, "running")) {
                take_end(attach, json_get(answer.result, "record"));
        } else if (r == 0 && answer.message.n_fds < 2) { /* it is about to start, or to end */
                link_pause(&attach->link, (int) *pause);
                *pause = *pause * 2 < PAUSE_MSEC ? *pause * 2 : PAUSE_MSEC;
        }
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r == LINK_E_STOPPED ? 0 : r;
}

/* It is asked how much is left, since the jail may have stood still meanwhile */
static int warn(Attach *attach, Error *err) {
        Ask ask = { .method = "jail.attach", .params = make_params(attach) };
        Answer answer = ANSWER_EMPTY;
        char text[UNITS_TEXT_MAX];
        uint64_t now, left;
        int r;

        json_add_bool(ask.params, "resize", true);
        r = link_ask(&attach->link, &ask, &answer, err);
        now = units_monotonic();
        if (r == 0)
                time_left_take(&attach->left, answer.result, now, false);
        answer_deinit(&answer);
        if (r < 0 || time_left_due(&attach->left) > now)
                return r < 0 ? r : 0;
        left = time_left_said(&attach->left, now);
        fputs("\r\n", stderr); /* the terminal is raw */
        terminal_say("%s has %s left, then its limit of time ends it (command.wall of its policy)",
                     attach->facts.name, units_format_duration(left / SECOND * SECOND, text));
        fputs("\r", stderr);
        return 0;
}

/* One that we began goes on from here without us, unless it has ended meanwhile */
static int let_go(Attach *attach, Error *err) {
        Ask ask = { .method = "jail.attach", .params = make_params(attach) };
        Answer answer = ANSWER_EMPTY;
        int r;

        attach->leave = false;
        json_add_bool(ask.params, "leave", true);
        r = link_ask(&attach->link, &ask, &answer, err);
        if (r == 0 && json_true(answer.result, "running"))
                attach->leave = true;
        attach->held &= !attach->leave;
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r == LINK_E_STOPPED ? 0 : r;
}

int attach_run(Attach *attach, Error *err) {
        unsigned pause = 1;
        int r = 0;

        while (r >= 0 && !attach->ended && !(attach->leave && !attach->held)) {
                if (attach->leave)
                        r = let_go(attach, err);
                else if (attach->output < 0)
                        r = ask(attach, &pause, err);
                else if (is_watched(attach) && time_left_due(&attach->left) <= units_monotonic())
                        r = warn(attach, err);
                else
                        r = serve(attach, err);
                end_deaf(attach);
        }
        pty_restore(&attach->pty);
        if (r >= 0 && !attach->ended)
                terminal_say("left; 'warder attach %s %s' comes back", attach->jail,
                             attach->command);
        return r < 0 ? r : attach->code;
}

/* ---- its beginning -------------------------------------------------------------------------------- */

int attach_open(Attach *attach, const char *socket, const char *keys, Error *err) {
        int r;

        if (detach_keys_init(&attach->leaving, keys, err) < 0)
                return VERB_E_USAGE;
        pty_borrow(&attach->pty);
        r = link_open(&attach->link, socket, err);
        if (r < 0)
                return r;
        attach->link.on_signal = on_signal;
        attach->link.userdata = attach;
        return link_catch_terminal(&attach->link, err);
}

/* Size and modes of the user's terminal: what erases a character there does so in the jail */
static void add_terminal(cJSON *exec, const struct termios *modes) {
        const tcflag_t words[] = { modes->c_iflag, modes->c_oflag, modes->c_cflag, modes->c_lflag };
        cJSON *terminal = json_add_object(exec, "terminal"), *list;

        add_size(terminal, 0);
        list = json_add_array(terminal, "modes");
        for (unsigned i = 0; i < ELEMENTS(words); i++)
                json_push_consume(list, cJSON_CreateNumber(words[i]));
        list = json_add_array(terminal, "keys");
        for (unsigned i = 0; i < KEYS_OF_MODES; i++)
                json_push_consume(list, cJSON_CreateNumber(modes->c_cc[i]));
}

int attach_start(Attach *attach, cJSON *exec, Error *err) {
        Ask ask = { .method = "jail.exec", .params = exec };
        Answer answer = ANSWER_EMPTY;
        const char *id;
        int r;

        if (attach->pty.terminal < 0) {
                (void) json_free(exec);
                return error_say(err, -ENOTTY,
                                 "standard input is no terminal, so the command can have none: "
                                 "leave out --tty");
        }
        json_add_bool(exec, "detach", true);
        json_add_bool(exec, "hold", true);
        json_add_bool(exec, "tty", true);
        add_terminal(exec, &attach->pty.before);
        command_add_term(exec);
        attach->held = attach->again = true;
        r = link_ask(&attach->link, &ask, &answer, err);
        id = r == 0 ? json_text(answer.result, "command") : NULL;
        if (id && id_is_valid('c', id))
                memcpy(attach->command, id, strlen(id) + 1);
        else if (r == 0)
                r = error_say(err, -EPROTO, "the supervisor named no command");
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r == LINK_E_STOPPED ? 0 : r;
}

void attach_close(Attach *attach) {
        pty_deinit(&attach->pty);
        fds_close(&attach->keys, 1);
        fds_close(&attach->output, 1);
        link_deinit(&attach->link);
}

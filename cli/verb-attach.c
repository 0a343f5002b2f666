/*
 * The verb "attach". Init of the jail holds the command's terminal; we get a pipe with what it writes and one for what is
 * typed, and say how large our terminal is. Ctrl-P Ctrl-Q leaves, and so does any signal that tells us to: the command goes
 * on. The pipe of its output ends with the command, or where we were too slow: then we ask again.
 */
#include "cli/verb-attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/link.h"
#include "cli/outcome.h"
#include "cli/pty.h"
#include "cli/terminal.h"

#define BYTES        4096
#define KEPT_MAX     (16u << 20)
#define SHOWN_MAX    8192 /* of what it wrote before */
#define PAUSE_MSEC   50
#define SENTENCE_MAX 1024
#define KEY_LEAVE_1  0x10 /* Ctrl-P */
#define KEY_LEAVE_2  0x11 /* Ctrl-Q */

typedef struct AttachOptions {
        Common common;
} AttachOptions;

static const Option attach_options[] = { OPTIONS_COMMON, { 0 } };

typedef struct Attach {
        Link link;
        Pty pty; /* our own terminal alone */
        const char *jail;
        const char *command;
        uint64_t seen; /* bytes of its output that are behind us */
        bool again;    /* something was shown before */
        bool leave;
        bool held; /* the first key of the two was typed */
        int keys;  /* owned: pipe; -EBADF: none */
        int output;
        char bytes[2 * BYTES];
        size_t start, end; /* typed, and not passed on yet */
        int code;          /* exit code, when it has ended */
        bool ended;
} Attach;

static cJSON *make_params(const Attach *attach) {
        struct winsize size = { 0 };
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", attach->jail);
        json_add_text(params, "command", attach->command);
        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
                json_add_number(params, "rows", size.ws_row);
                json_add_number(params, "columns", size.ws_col);
        }
        return params;
}

static void resize(Attach *attach) {
        cJSON *params = make_params(attach);

        json_add_bool(params, "resize", true);
        link_tell(&attach->link, "jail.attach", params);
}

static void on_signal(Link *link, int signal, void *userdata) {
        Attach *attach = userdata;

        if (signal == SIGTSTP) {
                pty_restore(&attach->pty);
                (void) raise(SIGSTOP);
        } else if (signal == SIGCONT) {
                if (attach->keys >= 0) /* else nobody reads what is typed, Ctrl-C neither */
                        pty_raw(&attach->pty);
        } else if (signal != SIGWINCH) {
                attach->leave = true;
                link_stop(link);
                return;
        }
        if (signal != SIGTSTP)
                resize(attach);
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static void pass_keys(Attach *attach) {
        struct pollfd room = { .fd = attach->keys, .events = POLLOUT };
        size_t n = attach->end - attach->start;
        ssize_t done;

        /* POLLOUT of a pipe says that so much does not wait */
        if (poll(&room, 1, 0) <= 0)
                return;
        done = write(attach->keys, attach->bytes + attach->start, n < BYTES ? n : BYTES);
        if (done > 0)
                attach->start += (size_t) done;
        else if (done < 0 && errno != EINTR && errno != EAGAIN) {
                fds_close(&attach->keys, 1);
                pty_restore(&attach->pty);
        }
}

static void put_key(Attach *attach, char key) {
        attach->bytes[attach->end++] = key;
}

/* Takes what was typed; the two keys that leave are never passed on, one alone is */
static void take_keys(Attach *attach) {
        char typed[BYTES / 2];
        ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) { /* no terminal any more, or the end of a file */
                attach->leave = attach->pty.terminal >= 0;
                fds_close(&attach->keys, 1);
                return;
        }
        attach->start = attach->end = 0;
        for (ssize_t i = 0; i < n; i++) {
                if (attach->held && typed[i] == KEY_LEAVE_2) {
                        attach->leave = true;
                        pass_keys(attach); /* what was typed before them */
                        return;
                }
                if (attach->held)
                        put_key(attach, KEY_LEAVE_1);
                attach->held = typed[i] == KEY_LEAVE_1;
                if (!attach->held)
                        put_key(attach, typed[i]);
        }
}

/* ---- output --------------------------------------------------------------------------------------- */

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
        r = fd_write_all(STDOUT_FILENO, bytes + n - most, most);
        attach->seen = seen;
        attach->again = true;
        return r < 0 ? error_set(err, r, "write what it wrote") : 0;
}

static void pass_output(Attach *attach) {
        char bytes[BYTES];
        ssize_t n = read(attach->output, bytes, sizeof(bytes));

        if (n < 0 && errno == EINTR)
                return;
        if (n <= 0) {
                fds_close(&attach->output, 1);
                return;
        }
        attach->seen += (uint64_t) n;
        if (fd_write_all(STDOUT_FILENO, bytes, (size_t) n) < 0)
                attach->leave = true;
}

static void serve(Attach *attach) {
        bool writes = attach->start < attach->end;
        struct pollfd polls[] = {
                { .fd = attach->output, .events = POLLIN },
                { .fd = attach->link.signals, .events = POLLIN },
                { .fd = writes ? attach->keys : -1, .events = POLLOUT },
                { .fd = !writes && attach->keys >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
        };

        if (poll(polls, ELEMENTS(polls), -1) < 0)
                return;
        if (polls[0].revents)
                pass_output(attach);
        if (polls[1].revents)
                link_pause(&attach->link, 0);
        if (polls[2].revents)
                pass_keys(attach);
        if (polls[3].revents)
                take_keys(attach);
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static void take_end(Attach *attach, const cJSON *record) {
        const OutcomeFacts facts = { .name = "the command", .is_in_jail = true };
        Buf sentence = BUF_EMPTY(SENTENCE_MAX);

        attach->ended = true;
        attach->code = outcome_exit_code(record);
        pty_restore(&attach->pty);
        outcome_sentence(record, &facts, &sentence);
        if (sentence.len > 0)
                terminal_say("%s", sentence.data);
        buf_deinit(&sentence);
}

static int ask(Attach *attach, Error *err) {
        Ask ask = { .method = "jail.attach", .params = make_params(attach) };
        Answer answer = ANSWER_EMPTY;
        int r = link_ask(&attach->link, &ask, &answer, err);

        if (r == 0 && answer.message.n_fds > 0)
                r = show_kept(attach, &answer, err);
        if (r == 0 && !json_true(answer.result, "running"))
                take_end(attach, json_get(answer.result, "record"));
        else if (r == 0 && answer.message.n_fds < 2) /* it is about to start, or to end */
                link_pause(&attach->link, PAUSE_MSEC);
        else if (r == 0) {
                attach->output = TAKE_FD(answer.message.fds[1]);
                if (answer.message.n_fds > 2) {
                        fds_close(&attach->keys, 1);
                        attach->keys = TAKE_FD(answer.message.fds[2]);
                        pty_raw(&attach->pty);
                }
        }
        answer_deinit(&answer);
        return r == LINK_E_REFUSED ? -EREMOTEIO : r == LINK_E_STOPPED ? 0 : r;
}

static int attach_to(Attach *attach, Error *err) {
        int r = 0;

        while (r == 0 && !attach->leave && !attach->ended) {
                if (attach->output < 0)
                        r = ask(attach, err);
                else
                        serve(attach);
        }
        pty_restore(&attach->pty);
        if (r == 0 && !attach->ended)
                terminal_say("left; 'warder attach %s %s' comes back", attach->jail,
                             attach->command);
        return r == 0 ? attach->code : r;
}

static int run(const VerbCall *call, Error *err) {
        const AttachOptions *options = call->options;
        Attach attach = { .link = LINK_EMPTY, .keys = -EBADF, .output = -EBADF };
        int r;

        if (call->n_words != 2 || options->common.json) {
                (void) error_say(err, -EINVAL,
                                 "Name a jail and one of its commands, without --json; 'warder ls "
                                 "JAIL' lists them.");
                return VERB_E_USAGE;
        }
        attach.jail = call->words[0];
        attach.command = call->words[1];
        pty_borrow(&attach.pty);
        r = link_open(&attach.link, options->common.socket, err);
        attach.link.on_signal = on_signal;
        attach.link.userdata = &attach;
        if (r == 0)
                r = link_catch_terminal(&attach.link, err);
        if (r == 0)
                r = attach_to(&attach, err);
        pty_deinit(&attach.pty);
        fds_close(&attach.keys, 1);
        fds_close(&attach.output, 1);
        link_deinit(&attach.link);
        return r;
}

const Verb verb_attach = {
        .name = "attach",
        .summary = "go to a command in the background, and leave it again",
        .synopsis = "JAIL COMMAND",
        .text = "What it writes is shown, and where it was started with --tty, what is typed goes "
                "to it, all\n"
                "keys but Ctrl-P Ctrl-Q: these leave, and it goes on. It goes on too when this "
                "command is\n"
                "ended or its terminal closed.",
        .examples = "  warder exec -d --tty j-7f3kq2m4ab -- bash\n"
                    "  warder attach j-7f3kq2m4ab c-n5w2x7ktq4",
        .exits = EXITS_COMMAND,
        .options = attach_options,
        .size = sizeof(AttachOptions),
        .exit_usage = EXIT_RUN_FAILED,
        .exit_failed = EXIT_RUN_FAILED,
        .run = run,
};

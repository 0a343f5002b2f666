/*
 * command: one command from request to exit code.
 *
 * Signals: the first SIGINT, SIGTERM or SIGHUP goes to the command's process group and is the command's
 * to handle; the second ends the jail (run) or the command (exec) whatever it thinks of it; the third
 * leaves without waiting, and the supervisor ends an ephemeral jail because its connection is gone. A
 * signal that comes before the command has started is kept and sent when it has.
 */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/events.h"
#include "cli/outcome.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

#define SENTENCE_MAX 1024
#define OUTPUT_MAX   (256 * 1024 * 1024)
#define HANG_UP_USEC 10000000

static void send_signal(Command *command, int signal) {
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", command->jail);
        json_add_text(params, "command", command->id);
        json_add_number(params, "signal", (uint64_t) signal);
        link_tell(&command->link, "jail.signal", params);
}

static void end_it(Command *command) {
        cJSON *params;

        if (!command->owns_jail) {
                send_signal(command, SIGKILL);
                return;
        }
        params = cJSON_CreateObject();
        json_add_text(params, "jail", command->jail);
        link_tell(&command->link, "jail.destroy", params);
}

/* ---- a terminal ----------------------------------------------------------------------------------- */

/* Closing its last descriptor makes the kernel send SIGHUP to the session in the jail */
static void hang_up(Command *command) {
        for (unsigned i = 0; i < command->link.n_relays; i++)
                relay_deinit(&command->link.relays[i]);
        pty_deinit(&command->pty);
        command->hung_up_usec = units_monotonic();
}

static bool is_carried(const Link *link) {
        for (unsigned i = 0; i < link->n_relays; i++)
                if (link->relays[i].from < 0)
                        return false;
        return true;
}

/* The user's terminal may go without a signal, where we are not in its session's foreground */
static uint64_t on_wake(Link *link, void *userdata) {
        Command *command = userdata;

        if (!command->hung_up_usec && !is_carried(link))
                hang_up(command);
        if (!command->hung_up_usec)
                return UINT64_MAX;
        if (units_monotonic() < command->hung_up_usec + HANG_UP_USEC)
                return command->hung_up_usec + HANG_UP_USEC;
        command->hung_up_usec = UINT64_MAX - HANG_UP_USEC; /* once */
        end_it(command);
        return UINT64_MAX;
}

/* Returns: whether it was about the user's terminal alone */
static bool take_screen_signal(Command *command, int signal) {
        if (signal == SIGTSTP) {
                pty_restore(&command->pty);
                (void) raise(SIGSTOP);
        } else if (signal == SIGCONT && command->id[0]) {
                pty_raw(&command->pty);
        }
        if (signal == SIGWINCH || signal == SIGCONT)
                pty_resize(&command->pty);
        return signal == SIGTSTP || signal == SIGCONT || signal == SIGWINCH;
}

/* What is typed before stays the user's terminal's own, and can end us */
static void take_keys(Command *command) {
        Link *link = &command->link;

        link->relays[link->n_relays++] =
                (Relay){ .from = STDIN_FILENO, .to = command->pty.master, .is_input = true };
        pty_raw(&command->pty);
        pty_resize(&command->pty);
}

void command_add_term(cJSON *exec) {
        const char *term = getenv("TERM");
        cJSON *env = json_get(exec, "env");

        if (!env)
                env = json_add_object(exec, "env");
        if (term && *term && !json_get(env, "TERM"))
                json_add_text(env, "TERM", term);
}

/* Its terminal is stdin, stdout and stderr; what it writes goes to our stdout */
static int give_terminal(Command *command, cJSON *exec, Error *err) {
        Link *link = &command->link;
        int r, reader;

        if (command->json)
                return error_say(err, -EINVAL, "--tty and --json exclude each other.");
        r = pty_open(&command->pty, err);
        if (r < 0)
                return r;
        reader = fcntl(command->pty.master, F_DUPFD_CLOEXEC, 3);
        if (reader < 0)
                return error_set(err, -errno, "read the terminal of the command");
        relay_output(&link->relays[link->n_relays++], reader, STDOUT_FILENO);
        stdio_terminal(TAKE_FD(command->pty.slave), &command->stdio);
        link->on_wake = on_wake;
        json_add_bool(exec, "tty", true);
        command_add_term(exec);
        return 0;
}

/* ---- signals and notes ---------------------------------------------------------------------------- */

static void on_signal(Link *link, int signal, void *userdata) {
        Command *command = userdata;

        if (command->tty && take_screen_signal(command, signal))
                return;
        command->n_signals++;
        command->last_signal = signal;
        if (command->n_signals > 2 ||
            (command->n_signals == (command->tty ? 1 : 2) && !command->id[0])) {
                link_stop(link);
        } else if (command->n_signals == 2) {
                terminal_say("ending it now; once more leaves without waiting");
                end_it(command);
        } else if (command->tty) {
                hang_up(command);
        } else if (command->id[0]) {
                send_signal(command, signal);
        }
}

static void copy_id(char *to, const char *from) {
        if (from && strlen(from) < ID_MAX)
                memcpy(to, from, strlen(from) + 1);
}

static void on_note(Link *link, const char *method, const cJSON *params, void *userdata) {
        Command *command = userdata;

        (void) link;
        if (strcmp(method, "command.started") != 0)
                return;
        copy_id(command->jail, json_text(params, "jail"));
        copy_id(command->id, json_text(params, "command"));
        if (command->json)
                events_print("command.start", cJSON_Duplicate(params, true));
        if (command->tty && !command->hung_up_usec)
                take_keys(command);
        else if (command->last_signal)
                send_signal(command, command->last_signal);
}

int command_open(Command *command, const char *socket, cJSON *exec, Error *err) {
        cJSON *words;
        int r = link_open(&command->link, socket, err);

        if (r < 0)
                return r;
        command->link.on_note = on_note;
        command->link.on_signal = on_signal;
        command->link.userdata = command;
        r = command->tty ? link_catch_terminal(&command->link, err)
                         : link_catch_signals(&command->link, err);
        if (r < 0)
                return r;
        r = command->tty ? give_terminal(command, exec, err)
                         : stdio_prepare(&command->link, command->json, &command->stdio, err);
        if (r < 0)
                return r;
        words = json_add_array(exec, "stdio");
        for (unsigned i = 0; i < 3; i++)
                json_push_text(words, command->stdio.words[i]);
        return words ? 0 : error_set(err, -ENOMEM, "make the request");
}

void command_close(Command *command) {
        stdio_deinit(&command->stdio);
        link_deinit(&command->link);
        pty_deinit(&command->pty);
}

/* Output above what fits into a message comes as descriptors: put their text where it belongs */
static void fetch_output(cJSON *record, Answer *answer) {
        static const char *const streams[] = { "stdout", "stderr" };

        for (unsigned i = 0; i < ELEMENTS(streams); i++) {
                cJSON *stream = json_get(json_get(record, "output"), streams[i]);
                autofree char *text = NULL;
                uint64_t index = 0;
                size_t n = 0;

                if (json_number(stream, "fd", &index) < 0 || index >= answer->message.n_fds ||
                    lseek(answer->message.fds[index], 0, SEEK_SET) < 0 ||
                    fd_read_all(answer->message.fds[index], OUTPUT_MAX, &text, &n) < 0)
                        continue;
                cJSON_DeleteItemFromObjectCaseSensitive(stream, "fd");
                json_add_text(stream, "text", text);
        }
}

static int report(Command *command, Answer *answer, cJSON *record) {
        Buf sentence = BUF_EMPTY(SENTENCE_MAX);
        int code = outcome_exit_code(record);

        link_drain(&command->link);
        pty_restore(&command->pty);
        if (command->n_signals > 1) /* we ended it: what became of it is no news */
                code = EXIT_SIGNAL + command->last_signal;
        else
                outcome_sentence(record, &command->facts, &sentence);
        if (sentence.len > 0)
                terminal_say("%s", sentence.data);
        if (command->json) {
                fetch_output(record, answer);
                json_add_number(record, "exit", (uint64_t) code);
                if (sentence.len > 0)
                        json_add_text(record, "sentence", sentence.data);
                events_print("command.end", cJSON_Duplicate(record, true));
        }
        buf_deinit(&sentence);
        return code;
}

int command_run(Command *command, const char *method, cJSON *params, int work_fd, Error *err) {
        Ask ask = { .method = method, .params = params };
        Answer answer = ANSWER_EMPTY;
        cJSON *record;
        int r;

        if (work_fd >= 0)
                ask.fds[ask.n_fds++] = work_fd;
        for (unsigned i = 0; i < command->stdio.n_fds; i++)
                ask.fds[ask.n_fds++] = command->stdio.fds[i];
        r = link_ask(&command->link, &ask, &answer, err);
        if (r == LINK_E_REFUSED) {
                memcpy(command->code, answer.code, sizeof(command->code));
                r = -EREMOTEIO;
        } else if (r == LINK_E_STOPPED) {
                r = EXIT_SIGNAL + command->last_signal;
        } else if (r == 0) {
                stdio_deinit(&command->stdio);
                copy_id(command->jail, json_text(answer.result, "jail"));
                record = json_get(answer.result, "command");
                if (!cJSON_IsObject(record)) /* jail.exec answers with the record itself */
                        record = json_get(answer.message.json, "result");
                r = report(command, &answer, record);
        }
        answer_deinit(&answer);
        return r;
}

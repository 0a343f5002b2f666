/*
 * The verb "shell": a shell, or another program for people, in a jail that is alive. Where standard input is no
 * terminal, the program gets none either, and reads what comes.
 */
#include "cli/verb-shell.h"

#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/jail-options.h"
#include "cli/login-shell.h"

typedef struct ShellOptions {
        Common common;
        ExecOptions exec;
} ShellOptions;

static const Option shell_options[] = {
        OPTIONS_EXEC(offsetof(ShellOptions, exec)),
        OPTIONS_COMMON,
        { 0 },
};

/* The user that --user names; NULL: the jail's */
static const uint64_t *user_of(const cJSON *params, uint64_t *uid) {
        return json_number(json_get(params, "user"), "uid", uid) == 0 ? uid : NULL;
}

static int run_shell(Command *command, const VerbCall *call, cJSON *params, Error *err) {
        const ShellOptions *options = call->options;
        char shell[LOGIN_SHELL_MAX] = "";
        uint64_t uid = 0;
        int r;

        command->tty = options->exec.tty || isatty(STDIN_FILENO);
        r = command_open(command, options->common.socket, params, err);
        if (r < 0)
                return r;
        if (!json_get(params, "argv")) {
                r = login_shell_find(&command->link, call->words[0], user_of(params, &uid), shell,
                                     err);
                if (r != 0)
                        return r < 0                 ? r
                               : r == LINK_E_REFUSED ? -EREMOTEIO
                                                     : EXIT_SIGNAL + command->last_signal;
                json_push_text(json_add_array(params, "argv"), shell);
                command->facts.name = shell;
        }
        return command_run(command, "jail.exec", cJSON_Duplicate(params, true), -EBADF, err);
}

static int run(const VerbCall *call, Error *err) {
        const ShellOptions *options = call->options;
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        ExecOptions exec = options->exec;
        Command command = COMMAND_EMPTY;
        char **words = call->words + 1;
        int n = call->n_words - 1, r;

        if (call->n_words < 1) {
                (void) error_say(err, -EINVAL, "No jail was named; 'warder ls' lists them.");
                return VERB_E_USAGE;
        }
        if (n > 0 && strcmp(words[0], "--") == 0) {
                words++;
                n--;
        }
        exec.has_own = true; /* without words: the user's shell */
        json_add_text(params, "jail", call->words[0]);
        r = exec_options_add(&exec, words, n, params, err);
        if (r != 0)
                return r;
        command.json = options->common.json;
        command.facts = (OutcomeFacts){ .name = n > 0 ? words[0] : "the shell",
                                        .given = exec_options_given(&exec),
                                        .is_in_jail = true };
        r = run_shell(&command, call, params, err);
        command_close(&command);
        return r;
}

const Verb verb_shell = {
        .name = "shell",
        .summary = "a shell, or a program for people, in a jail that is alive",
        .synopsis = "[OPTION…] JAIL [-- CMD [ARG…]]",
        .text = "The shell is that of the jail's user in the jail's own /etc/passwd, else bash, "
                "else sh. It\n"
                "has a terminal of its own, between it and yours: all keys go to it, Ctrl-C and "
                "Ctrl-Z\n"
                "too, it follows the size of yours, and it is hung up when you close yours. What "
                "it writes\n"
                "reaches your terminal as it is, with every sequence that your terminal obeys. "
                "Where\n"
                "standard input is no terminal the shell has none, and reads its commands from "
                "there.",
        .examples = "  warder shell j-7f3kq2m4ab\n"
                    "  warder shell j-7f3kq2m4ab -- vi notes.txt\n"
                    "  echo 'make && make check' | warder shell j-7f3kq2m4ab",
        .exits = EXITS_COMMAND,
        .options = shell_options,
        .size = sizeof(ShellOptions),
        .stops_at_word = true,
        .exit_usage = EXIT_RUN_FAILED,
        .exit_failed = EXIT_RUN_FAILED,
        .run = run,
};

/*
 * The verb "shell": a shell, or another program for people, in a jail that is alive. Where standard input is no
 * terminal, the program gets none either, and reads what comes.
 */
#include "cli/verb-shell.h"

#include <errno.h>
#include <unistd.h>

#include "cli/attach.h"
#include "cli/command.h"
#include "cli/jail-options.h"
#include "cli/login-shell.h"

typedef struct ShellOptions {
        Common common;
        ExecOptions exec;
} ShellOptions;

static const Option shell_options[] = {
        OPTIONS_EXEC(offsetof(ShellOptions, exec)),
        OPTION_DETACH_KEYS(offsetof(ShellOptions, exec.detach_keys)),
        OPTIONS_COMMON,
        { 0 },
};

typedef struct ShellCall {
        Link *link; /* borrowed */
        const char *jail;
        char *found; /* room of LOGIN_SHELL_MAX */
        OutcomeFacts facts;
} ShellCall;

/* The user that --user names; NULL: the jail's */
static const uint64_t *user_of(const cJSON *params, uint64_t *uid) {
        return json_number(json_get(params, "user"), "uid", uid) == 0 ? uid : NULL;
}

/* Without words: the shell of the jail's user. Returns: 0, an exit code, or negative errno */
static int add_shell(ShellCall *shell, cJSON *params, Error *err) {
        uint64_t uid = 0;
        int r;

        if (json_get(params, "argv"))
                return 0;
        r = login_shell_find(shell->link, shell->jail, user_of(params, &uid), shell->found, err);
        if (r == 0) {
                json_push_text(json_add_array(params, "argv"), shell->found);
                shell->facts.name = shell->found;
        }
        return r == LINK_E_REFUSED ? -EREMOTEIO : r;
}

static int run_attached(const ShellOptions *options, ShellCall *shell, cJSON *params, Error *err) {
        Attach attach = ATTACH_EMPTY;
        int r;

        if (options->common.json)
                return error_say(err, -EINVAL,
                                 "A shell on a terminal has no --json; where standard input is no "
                                 "terminal it has.");
        attach.jail = shell->jail;
        r = attach_open(&attach, options->common.socket, options->exec.detach_keys, err);
        shell->link = &attach.link;
        if (r == 0) {
                r = add_shell(shell, params, err);
                if (r == LINK_E_STOPPED)
                        r = EXIT_SIGNAL + attach.last_signal;
        }
        attach.facts = shell->facts;
        if (r == 0)
                r = attach_start(&attach, cJSON_Duplicate(params, true), err);
        if (r == 0)
                r = attach_run(&attach, err);
        attach_close(&attach);
        return r;
}

static int run_plain(const ShellOptions *options, ShellCall *shell, cJSON *params, Error *err) {
        Command command = COMMAND_EMPTY;
        int r;

        command.json = options->common.json;
        shell->link = &command.link;
        r = command_open(&command, options->common.socket, params, err);
        if (r == 0) {
                r = add_shell(shell, params, err);
                if (r == LINK_E_STOPPED)
                        r = EXIT_SIGNAL + command.last_signal;
        }
        command.facts = shell->facts;
        if (r == 0)
                r = command_run(&command, "jail.exec", cJSON_Duplicate(params, true), -EBADF, err);
        command_close(&command);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        const ShellOptions *options = call->options;
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        ExecOptions exec = options->exec;
        char found[LOGIN_SHELL_MAX] = "";
        ShellCall shell = { .jail = call->n_words > 0 ? call->words[0] : NULL, .found = found };
        char **words;
        int n, r = exec_words(call, "shell", &words, &n, err);

        if (r != 0)
                return r;
        exec.has_own = true; /* without words: the user's shell */
        json_add_text(params, "jail", shell.jail);
        r = exec_options_add(&exec, words, n, params, err);
        if (r != 0)
                return r;
        shell.facts = (OutcomeFacts){ .name = n > 0 ? words[0] : "the shell",
                                      .given = exec_options_given(&exec),
                                      .is_in_jail = true };
        return exec.tty || isatty(STDIN_FILENO) ? run_attached(options, &shell, params, err)
                                                : run_plain(options, &shell, params, err);
}

const Verb verb_shell = {
        .name = "shell",
        .summary = "a shell, or a program for people, in a jail that is alive",
        .synopsis = "[OPTION…] JAIL [-- CMD [ARG…]]",
        .text = "The shell is that of the jail's user in the jail's own /etc/passwd, else bash, "
                "else sh. It\n"
                "has a terminal of its own, between it and yours: all keys go to it, Ctrl-C and "
                "Ctrl-Z\n"
                "too, it follows the size of yours, and it is hung up when you close yours. "
                "Ctrl-P Ctrl-Q\n"
                "leaves it running: 'warder attach' comes back. What it writes reaches your "
                "terminal as it\n"
                "is, with every sequence that your terminal obeys. The policy's limit of time for "
                "a command\n"
                "(command.wall) ends it, too: five minutes and one minute before, it is said. "
                "Where standard\n"
                "input is no terminal the shell has none, and reads its commands from there.",
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

/*
 * The verb "run": one command in a jail of its own, on a copy-on-write view of the caller's directory.
 */
#include "cli/verb-run.h"

#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/jail-options.h"
#include "cli/terminal.h"
#include "cli/workdir.h"

typedef struct RunOptions {
        Common common;
        JailOptions jail;
        ExecOptions exec;
        bool keep;
} RunOptions;

static const Option run_options[] = {
        OPTIONS_JAIL(offsetof(RunOptions, jail)),
        OPTIONS_EXEC(offsetof(RunOptions, exec)),
        { "keep", 'k', OPTION_FLAG, offsetof(RunOptions, keep), NULL,
          "Keep the jail and its changes; its id is printed" },
        OPTIONS_COMMON,
        { 0 },
};

static int make_params(const RunOptions *options, const VerbCall *call, cJSON *params, Error *err) {
        cJSON *exec = json_add_object(params, "exec");
        ExecOptions command = options->exec;
        int r = jail_options_add(&options->jail, params, err);

        if (r != 0)
                return r;
        if (options->keep)
                json_add_bool(params, "keep", true);
        if (!exec)
                return error_set(err, -ENOMEM, "make the request");
        command.has_own = jail_options_snapshot(&options->jail) != NULL;
        return exec_options_add(&command, call->words, call->n_words, exec, err);
}

/* Some file systems cannot be shown with other owners (overlay, NFS): then a copy of it is shown */
static int run_on_copy(Command *command, cJSON *params, int work, Error *err) {
        autoclose int copy = -EBADF;
        int r = workdir_pack(work, &copy, err);

        if (r < 0)
                return r;
        terminal_say("working on a copy, because %s", err->text);
        *err = ERROR_EMPTY;
        return command_run(command, "jail.create", cJSON_Duplicate(params, true), copy, err);
}

static int run_command(Command *command, const RunOptions *options, cJSON *params, Error *err) {
        autoclose int work = -EBADF;
        int r = command_open(command, options->common.socket, json_get(params, "exec"), err);

        if (r < 0)
                return r;
        work = jail_options_work(&options->jail, rpc_peer_fd(command->link.peer), err);
        if (work < 0 && jail_options_has_work(&options->jail))
                return work;
        r = command_run(command, "jail.create", cJSON_Duplicate(params, true), work, err);
        if (r < 0 && work >= 0 && !options->jail.rw && strcmp(command->code, "unsupported") == 0)
                r = run_on_copy(command, params, work, err);
        if (r >= 0 && options->keep && command->jail[0] && !options->jail.persistent)
                terminal_say("jail %s is kept: 'warder exec %s -- CMD', 'warder rm %s'",
                             command->jail, command->jail, command->jail);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        const RunOptions *options = call->options;
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        Command command = COMMAND_EMPTY;
        int r = make_params(options, call, params, err);

        if (r != 0)
                return r;
        command.json = options->common.json;
        command.tty = options->exec.tty;
        command.owns_jail = true;
        command.facts = (OutcomeFacts){ .name = call->n_words > 0 ? call->words[0] : "its command",
                                        .memory = options->jail.memory,
                                        .given = jail_options_given(&options->jail) |
                                                 exec_options_given(&options->exec) };
        r = run_command(&command, options, params, err);
        command_close(&command);
        return r;
}

const Verb verb_run = {
        .name = "run",
        .summary = "run a command in a fresh jail, on this directory",
        .synopsis = "[OPTION…] [--] [CMD [ARG…]]",
        .text = "The current directory is /work in the jail, copy-on-write: the command may "
                "change\n"
                "everything and nothing of it reaches the directory. With --rw DIR it is DIR that\n"
                "is /work, and what the command changes there is changed. There is no network. "
                "When "
                "the\n"
                "command has ended, so has everything that it started. With --json, stdout "
                "carries\n"
                "events, one a line, and the command's output is in the last of them. Without CMD "
                "the\n"
                "snapshot's own command runs, where it was a container image that has one.",
        .examples = "  warder run -- make test\n"
                    "  warder run --memory 512M --time 10m -- python3 untrusted.py\n"
                    "  warder run --rw . -- make",
        .exits = EXITS_COMMAND,
        .options = run_options,
        .size = sizeof(RunOptions),
        .stops_at_word = true,
        .exit_usage = EXIT_RUN_FAILED,
        .exit_failed = EXIT_RUN_FAILED,
        .run = run,
};

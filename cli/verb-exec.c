/*
 * The verb "exec": one more command in a jail that is alive.
 */
#include "cli/verb-exec.h"

#include <errno.h>
#include <stdio.h>

#include "base/ids.h"
#include "cli/ask-once.h"
#include "cli/attach.h"
#include "cli/command.h"
#include "cli/jail-options.h"

typedef struct ExecVerbOptions {
        Common common;
        ExecOptions exec;
        uint64_t memory;
        uint64_t pids;
        bool detach;
} ExecVerbOptions;

static const Option exec_options[] = {
        OPTIONS_EXEC(offsetof(ExecVerbOptions, exec)),
        OPTION_DETACH_KEYS(offsetof(ExecVerbOptions, exec.detach_keys)),
        { "memory", 0, OPTION_SIZE, offsetof(ExecVerbOptions, memory), "SIZE",
          "Memory of this command, below that of its jail, as 64M" },
        { "pids", 0, OPTION_COUNT, offsetof(ExecVerbOptions, pids), "N",
          "Processes and threads of this command at one time" },
        { "detach", 'd', OPTION_FLAG, offsetof(ExecVerbOptions, detach), NULL,
          "Do not wait for it: its id is printed; see 'warder logs' and 'warder attach'" },
        OPTIONS_COMMON,
        { 0 },
};

/* What this command alone may have; exec_options_add() has added the other limits. */
static void add_narrow(const ExecVerbOptions *options, cJSON *params) {
        cJSON *limits = json_get(params, "limits");

        if (!options->memory && !options->pids)
                return;
        if (!limits)
                limits = json_add_object(params, "limits");
        if (options->memory)
                json_add_number(limits, "memory", options->memory);
        if (options->pids)
                json_add_number(limits, "pids", options->pids);
}

static void show_id(const cJSON *result) {
        const char *id = json_text(result, "command");

        printf("%s\n", id && id_is_valid('c', id) ? id : "");
}

static int run_detached(const ExecVerbOptions *options, cJSON *params_consume, Error *err) {
        json_add_bool(params_consume, "detach", true);
        if (options->exec.tty) {
                json_add_bool(params_consume, "tty", true);
                command_add_term(params_consume);
        }
        return ask_once(&options->common, "jail.exec", params_consume, show_id, err);
}

static OutcomeFacts facts_of(const ExecVerbOptions *options, const char *name) {
        return (OutcomeFacts){ .name = name,
                               .memory = options->memory,
                               .given = exec_options_given(&options->exec) |
                                        (options->memory ? BIT(LIMIT_MEMORY) : 0) |
                                        (options->pids ? BIT(LIMIT_PIDS) : 0),
                               .is_in_jail = true };
}

/* With a terminal: it is the jail's own, so that the command can be left */
static int run_attached(const ExecVerbOptions *options, const VerbCall *call,
                        const OutcomeFacts *facts, cJSON *params_consume, Error *err) {
        SCOPED(json_free) cJSON *params = params_consume;
        Attach attach = ATTACH_EMPTY;
        int r;

        if (options->common.json)
                return error_say(err, -EINVAL, "--tty and --json exclude each other.");
        attach.jail = call->words[0];
        attach.facts = *facts;
        r = attach_open(&attach, options->common.socket, options->exec.detach_keys, err);
        if (r == 0)
                r = attach_start(&attach, TAKE_PTR(params), err);
        if (r == 0)
                r = attach_run(&attach, err);
        attach_close(&attach);
        return r;
}

static int run_plain(const ExecVerbOptions *options, const OutcomeFacts *facts,
                     cJSON *params_consume, Error *err) {
        SCOPED(json_free) cJSON *params = params_consume;
        Command command = COMMAND_EMPTY;
        int r;

        command.json = options->common.json;
        command.facts = *facts;
        r = command_open(&command, options->common.socket, params, err);
        if (r == 0)
                r = command_run(&command, "jail.exec", TAKE_PTR(params), -EBADF, err);
        command_close(&command);
        return r;
}

static int run(const VerbCall *call, Error *err) {
        const ExecVerbOptions *options = call->options;
        OutcomeFacts facts;
        cJSON *params;
        char **words;
        int n, r;

        r = exec_words(call, "exec", &words, &n, err);
        if (r != 0)
                return r;
        params = cJSON_CreateObject();
        json_add_text(params, "jail", call->words[0]);
        r = exec_options_add(&options->exec, words, n, params, err);
        if (r != 0) {
                (void) json_free(params);
                return r;
        }
        add_narrow(options, params);
        if (options->detach)
                return run_detached(options, params, err);
        facts = facts_of(options, words[0]);
        return options->exec.tty ? run_attached(options, call, &facts, params, err)
                                 : run_plain(options, &facts, params, err);
}

const Verb verb_exec = {
        .name = "exec",
        .summary = "run a command in a jail that is alive",
        .synopsis = "[OPTION…] JAIL -- CMD [ARG…]",
        .examples = "  warder exec j-7f3kq2m4ab -- sh -c 'make && ./a.out'\n"
                    "  warder exec --time 10s --memory 256M j-7f3kq2m4ab -- ./a.out\n"
                    "  warder exec -d j-7f3kq2m4ab -- ./server",
        .exits = EXITS_COMMAND,
        .options = exec_options,
        .size = sizeof(ExecVerbOptions),
        .stops_at_word = true,
        .exit_usage = EXIT_RUN_FAILED,
        .exit_failed = EXIT_RUN_FAILED,
        .run = run,
};

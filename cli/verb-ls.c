/*
 * The verb "ls": the jails that are alive, and the commands that one of them has in the background.
 */
#include "cli/verb-ls.h"

#include <stdio.h>

#include "cli/ask-once.h"

static const Option ls_options[] = { OPTIONS_COMMON, { 0 } };

static void show(const cJSON *result) {
        const cJSON *jail;

        printf("%-12s  %-8s  %-12s  %-16s  %-4s  %-10s  %-5s  %s\n", "JAIL", "STATE", "SNAPSHOT",
               "POLICY", "RUNS", "MEMORY", "PIDS", "CREATED");
        cJSON_ArrayForEach(jail, json_get(result, "jails")) {
                uint64_t commands = 0, pids = 0;

                (void) json_number(jail, "commands", &commands);
                (void) json_number(jail, "pids", &pids);
                show_text(jail, "jail", 12);
                show_text(jail, "state", 8);
                show_text(jail, "snapshot", 12);
                show_text(jail, "policy", 16);
                printf("%-4llu  ", (unsigned long long) commands);
                show_size(jail, "memory", 10);
                printf("%-5llu  ", (unsigned long long) pids);
                show_time(jail, "created", 24);
                putchar('\n');
        }
}

/* How a command ended: its cause, and code or signal where that says more */
static void show_end(const cJSON *command) {
        const char *cause = json_text(command, "cause");
        uint64_t number = 0;
        char text[64];

        if (json_true(command, "running"))
                cause = "running";
        if (json_number(command, "signal", &number) == 0)
                snprintf(text, sizeof(text), "%.32s %u", cause ? cause : "-", (unsigned) number);
        else if (json_number(command, "code", &number) == 0)
                snprintf(text, sizeof(text), "%.32s %u", cause ? cause : "-", (unsigned) number);
        else
                snprintf(text, sizeof(text), "%.32s", cause ? cause : "-");
        printf("%-18s  ", text);
}

static void show_commands(const cJSON *result) {
        const cJSON *command;

        printf("%-12s  %-18s  %-24s  %s\n", "COMMAND", "STATE", "STARTED", "WORDS");
        cJSON_ArrayForEach(command, json_get(result, "background")) {
                show_text(command, "command", 12);
                show_end(command);
                show_time(command, "started", 24);
                show_text(command, "words", 1);
                putchar('\n');
        }
}

static int run(const VerbCall *call, Error *err) {
        static const NamedAsk one = { "jail.show", "jail", "a jail", show_commands, 0 };

        if (call->n_words > 0)
                return ask_named(call, &one, err);
        return ask_once(call->options, "jail.list", cJSON_CreateObject(), show, err);
}

const Verb verb_ls = {
        .name = "ls",
        .summary = "list the jails that are alive, or the commands that one runs in the background",
        .synopsis = "[--json] [JAIL]",
        .examples =
                "  warder ls\n  warder ls --json | jq -r '.jails[].jail'\n  warder ls j-7f3kq2m4ab",
        .exits = EXITS_PLAIN,
        .options = ls_options,
        .size = sizeof(Common),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};

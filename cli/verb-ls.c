/*
 * The verb "ls": the jails that are alive.
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

static int run(const VerbCall *call, Error *err) {
        return ask_once(call->options, "jail.list", cJSON_CreateObject(), show, err);
}

const Verb verb_ls = {
        .name = "ls",
        .summary = "list the jails that are alive",
        .synopsis = "[--json]",
        .examples = "  warder ls\n  warder ls --json | jq -r '.jails[].jail'",
        .exits = EXITS_PLAIN,
        .options = ls_options,
        .size = sizeof(Common),
        .takes_no_words = true,
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};

/*
 * The verb "ls": the jails that are alive, and the commands that one of them has in the background.
 */
#include "cli/verb-ls.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/ask-once.h"
#include "cli/terminal.h"

#define SECOND      1000000u
#define CAUSE_SHOWN 32
#define END_WIDTH   18

typedef struct LsOptions {
        Common common;
        bool all;
} LsOptions;

static const Option ls_options[] = {
        { "all", 'a', OPTION_FLAG, offsetof(LsOptions, all), NULL,
          "Workspaces that are stopped, too" },
        OPTIONS_COMMON,
        { 0 },
};

/* What a workspace has of its disk, how long nothing was done in it, and what will become of it */
static void show_workspace(const cJSON *workspace) {
        char taken[UNITS_TEXT_MAX], disk[UNITS_TEXT_MAX], idle[UNITS_TEXT_MAX];
        uint64_t used = 0, now = units_now(), bytes = 0, size = 0;

        (void) json_number(workspace, "taken", &bytes);
        (void) json_number(workspace, "disk", &size);
        (void) units_parse_time(json_text(workspace, "used"), &used);
        used = now > used + SECOND ? (now - used) / SECOND * SECOND : SECOND;
        fputs("  ", stdout);
        show_text(workspace, "name", 0);
        printf("%s of %s on disk, used %s ago", units_format_size(bytes, taken),
               units_format_size(size, disk), units_format_duration(used, idle));
        if (json_text(workspace, "expires")) {
                fputs(", removed if it is not used before ", stdout);
                show_time(workspace, "expires", 0);
        }
        putchar('\n');
}

static void show(const cJSON *result) {
        const cJSON *jail;

        printf("%-12s  %-8s  %-12s  %-16s  %-4s  %-10s  %-5s  %s\n", "JAIL", "STATE", "SNAPSHOT",
               "POLICY", "RUNS", "MEMORY", "PIDS", "CREATED");
        cJSON_ArrayForEach(jail, json_get(result, "jails")) {
                uint64_t commands = 0, pids = 0;

                (void) json_number(jail, "commands", &commands);
                (void) json_number(jail, "pids", &pids);
                show_text(jail, "jail", 12);
                if (json_true(jail, "frozen"))
                        printf("%-8s  ", "frozen");
                else
                        show_text(jail, "state", 8);
                show_text(jail, "snapshot", 12);
                show_text(jail, "policy", 16);
                printf("%-4llu  ", (unsigned long long) commands);
                show_size(jail, "memory", 10);
                printf("%-5llu  ", (unsigned long long) pids);
                show_time(jail, "created", 24);
                putchar('\n');
                if (json_get(jail, "workspace"))
                        show_workspace(json_get(jail, "workspace"));
        }
}

/* How a command ended: its cause, and code or signal where that says more */
static void show_end(const cJSON *command) {
        const char *cause = json_text(command, "cause");
        uint64_t number = 0;
        int width;

        if (json_true(command, "running"))
                cause = "running";
        cause = cause ? cause : "-";
        width = END_WIDTH - (int) strnlen(cause, CAUSE_SHOWN);
        terminal_text(stdout, cause, CAUSE_SHOWN);
        if (json_number(command, "signal", &number) == 0 ||
            json_number(command, "code", &number) == 0)
                width -= printf(" %u", (unsigned) number);
        printf("%*s  ", width > 0 ? width : 0, "");
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
        const LsOptions *options = call->options;
        cJSON *params;

        if (call->n_words > 0)
                return ask_named(call, &one, err);
        params = cJSON_CreateObject();
        if (options->all)
                json_add_bool(params, "all", true);
        return ask_once(&options->common, "jail.list", params, show, err);
}

const Verb verb_ls = {
        .name = "ls",
        .summary = "list the jails that are alive, or the commands that one runs in the background",
        .synopsis = "[-a] [--json] [JAIL]",
        .examples = "  warder ls -a\n  warder ls --json | jq -r '.jails[].jail'\n"
                    "  warder ls j-7f3kq2m4ab",
        .exits = EXITS_PLAIN,
        .options = ls_options,
        .size = sizeof(LsOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};

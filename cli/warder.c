/*
 * warder: the command. It holds no privilege of its own beyond the caller's: it turns words into calls
 * of the supervisor's socket and answers into sentences, events and exit codes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

typedef struct Globals {
        Common common;
        bool version;
} Globals;

static const Option global_options[] = {
        { "version", 'V', OPTION_FLAG, offsetof(Globals, version), NULL, "Show the version" },
        OPTIONS_COMMON,
        { 0 },
};

static void introduce(FILE *file) {
        fputs("warder runs commands and coding agents that nobody trusts in jails on this host.\n\n"
              "  sudo warder run -- make test      a command on this directory, changes dropped\n"
              "  sudo warder verify fix.patch      a verdict for a patch, by the project's tests\n"
              "  warder help                       all verbs; 'warder help VERB' for one\n",
              file);
}

static int wrong(int argc, char **argv, const Error *err) {
        if (verbs_wants_json(argc, argv))
                verbs_report_json("", EXIT_USAGE, err);
        terminal_say("%s", err->text);
        fputs("Try 'warder help'.\n", stderr);
        return EXIT_USAGE;
}

static bool asks_help(const char *word) {
        return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

int main(int argc, char **argv) {
        Globals globals = { 0 };
        Error err = ERROR_EMPTY;
        const Verb *verb;
        int rest = 0, used = 0;

        if (fds_fill_standard() < 0)
                return EXIT_RUN_FAILED;
        (void) signal(SIGPIPE, SIG_IGN);
        if (options_parse(global_options, argc, argv, true, &globals, &rest, &err) < 0)
                return wrong(argc, argv, &err);
        if (globals.version) {
                printf("warder %s\n", PACKAGE_VERSION);
                return 0;
        }
        if (globals.common.socket)
                (void) setenv("WARDER_SOCKET", globals.common.socket, 1);
        if (globals.common.help || rest >= argc) {
                introduce(globals.common.help ? stdout : stderr);
                return globals.common.help ? 0 : EXIT_USAGE;
        }
        if (rest == argc - 1 && verbs_is_group(argv[rest])) {
                verbs_list(argv[rest]);
                return EXIT_USAGE;
        }
        if (rest == argc - 2 && verbs_is_group(argv[rest]) && asks_help(argv[rest + 1])) {
                verbs_list(argv[rest]);
                return 0;
        }
        verb = verbs_find(argc - rest, argv + rest, &used, &err);
        if (!verb)
                return wrong(argc, argv, &err);
        return verbs_run(verb, globals.common.json, argc - rest - used + 1, argv + rest + used - 1);
}

#pragma once
/*
 * verbs: what a verb of the command is, and the table of all of them. Parsing, --help, "warder help",
 * exit codes for wrong usage and failures all come from a verb's row; the file of a verb holds what it does.
 */
#include <stddef.h>

#include "base/error.h"
#include "base/options.h"

enum {
        VERB_E_USAGE = 256,    /* above every exit code: wrong words; err says which */
        EXIT_TIME_LIMIT = 124, /* run, exec */
        EXIT_RUN_FAILED = 125, /* run, exec: usage, or the jail could not be made */
        EXIT_NOT_EXECUTABLE = 126,
        EXIT_NOT_FOUND = 127,
        EXIT_SIGNAL = 128, /* plus the number of the signal */
        EXIT_VERIFIED = 0, /* task run, verify */
        EXIT_NOT_VERIFIED = 1,
        EXIT_USAGE = 2,
        EXIT_LIMIT = 3,
        EXIT_WAITING = 4,
        EXIT_TAMPERED = 5,
        EXIT_NOT_CARRIED_OUT = 6,
        EXIT_CANCELLED = 130,
};

typedef struct Common { /* first member of every verb's options */
        bool help;
        bool json;
        const char *socket;
} Common;

/* The rows that every verb has; the table of a verb ends with a NULL name after them */
#define OPTIONS_COMMON                                                                          \
        { "json", 0, OPTION_FLAG, offsetof(Common, json), NULL, "Answer in JSON on stdout" },   \
                { "socket",                                                                     \
                  0,                                                                            \
                  OPTION_TEXT,                                                                  \
                  offsetof(Common, socket),                                                     \
                  "PATH",                                                                       \
                  "Ask the supervisor at this socket (default: $WARDER_SOCKET, the service, a " \
                  "private one)" },                                                             \
        {                                                                                       \
                "help", 'h', OPTION_FLAG, offsetof(Common, help), NULL, "Show this help"        \
        }

typedef struct VerbCall {
        void *options; /* the verb's own struct, filled */
        int n_words;   /* that are left */
        char **words;
} VerbCall;

typedef struct Verb {
        const char *name;     /* "run", "snapshot import" */
        const char *summary;  /* one line */
        const char *synopsis; /* what follows the name */
        const char *text;     /* what a first-time user must know; NULL: the summary says it */
        const char *examples; /* at least two lines, each indented by two */
        const char *exits;    /* one of the EXITS_* texts */
        const Option *options;
        size_t size;        /* of the options' struct */
        bool stops_at_word; /* the first word ends the options: it begins a command */
        bool takes_no_words;
        int exit_usage;
        int exit_failed; /* for a negative return of run */
        /* the exit code; VERB_E_USAGE; or negative errno. Where err is set its sentence is shown */
        int (*run)(const VerbCall *call, Error *err);
} Verb;

#define EXITS_COMMAND                                                         \
        "  N    the command's own exit code\n"                                \
        "  124  a time limit ended it\n"                                      \
        "  125  wrong usage, or the jail could not be made\n"                 \
        "  126  the command could not be executed    127  it was not found\n" \
        "  137  it was killed, also for want of memory; 128+N for signal N\n"
#define EXITS_VERDICT                                                          \
        "  0    verified: the tests passed with this very patch\n"             \
        "  1    not verified: tests failed\n"                                  \
        "  2    wrong usage; the patch does not fit the base\n"                \
        "  3    a limit was reached, a time limit of the tests or setup too\n" \
        "  4    it waits for a person: the message says what to type\n"        \
        "  5    tampered: the patch changes what it may not\n"                 \
        "  6    could not be carried out: the message says what is missing\n"  \
        "  130  cancelled\n"
#define EXITS_PLAIN                                        \
        "  0    done\n"                                    \
        "  1    refused or failed: the message says why\n" \
        "  2    wrong usage\n"

/** verbs_all() - the table, ended by NULL */
const Verb *const *verbs_all(void);

/**
 * verbs_find() - the verb that the first words name
 * @ret_used: how many words the name took, 1 or 2
 *
 * Returns: the verb; NULL with a sentence that names the nearest one.
 */
const Verb *verbs_find(int n_words, char **words, int *ret_used, Error *err);

/** verbs_run() - parse, help, run, report. @json: --json stood before the verb; @argv[0] is the verb's last word. Returns: the exit code */
int verbs_run(const Verb *verb, bool json, int argc, char **argv);

/** verbs_wants_json() - does --json stand among words that could not be parsed; for the report of that */
bool verbs_wants_json(int argc, char **argv);

/** verbs_report_json() - the event "error" on stdout; @verb "": none was found */
void verbs_report_json(const char *verb, int exit_code, const Error *err);

/** verbs_is_group() - does @word begin names of two words ("snapshot") */
bool verbs_is_group(const char *word);

/** verbs_list() - one verb a line on stdout, two blanks, name, summary; @group NULL: all */
void verbs_list(const char *group);

/** verbs_help() - the help of one verb on stdout */
void verbs_help(const Verb *verb);

#pragma once
/*
 * jail-options: the options that run, create and exec share, and the members of a request that they fill.
 */
#include "base/json.h"
#include "cli/verbs.h"

typedef struct JailOptions {
        const char *snapshot;
        const char *policy;
        uint64_t memory;
        uint64_t pids;
        const char *cpu;
        uint64_t disk;
        const char *net;
        const char *rw;
        bool no_work;
        const char *persistent;
        uint64_t idle_stop;
        uint64_t ttl;
} JailOptions;

typedef struct ExecOptions {
        uint64_t wall;
        uint64_t cpu_time;
        const char *user;
        const char *cwd;
        OptionList env;
        bool tty;
        const char *detach_keys; /* exec and shell alone */
        bool has_own; /* the snapshot may have a command of its own: none need be given */
} ExecOptions;

#define OPTIONS_JAIL(AT)                                                                              \
        { "snapshot",  's',                                                                           \
          OPTION_TEXT, (AT) + offsetof(JailOptions, snapshot),                                        \
          "NAME",      "Root file system (default: $WARDER_SNAPSHOT, else host)" },                   \
                { "policy",                                                                           \
                  'p',                                                                                \
                  OPTION_TEXT,                                                                        \
                  (AT) + offsetof(JailOptions, policy),                                               \
                  "NAME|FILE",                                                                        \
                  "Policy of the jail, or a file with a slash in its name that tightens one "         \
                  "(default: $WARDER_POLICY, else default)" },                                        \
                { "memory",    0,                                                                     \
                  OPTION_SIZE, (AT) + offsetof(JailOptions, memory),                                  \
                  "SIZE",      "Memory of all commands together, as 512M" },                          \
                { "pids",       0,                                                                    \
                  OPTION_COUNT, (AT) + offsetof(JailOptions, pids),                                   \
                  "N",          "Processes and threads at one time" },                                \
                { "cpu",       0,                                                                     \
                  OPTION_TEXT, (AT) + offsetof(JailOptions, cpu),                                     \
                  "SHARE",     "Processors: 150% is one and a half" },                                \
                { "disk",                                                                             \
                  0,                                                                                  \
                  OPTION_SIZE,                                                                        \
                  (AT) + offsetof(JailOptions, disk),                                                 \
                  "SIZE",                                                                             \
                  "Bytes that may be written, as 1G; of a workspace its disk (default: 10G)" },       \
                { "net",       0,                                                                     \
                  OPTION_TEXT, (AT) + offsetof(JailOptions, net),                                     \
                  "MODE",      "Network: none is the only mode there is" },                           \
                { "rw",        0,                                                                     \
                  OPTION_TEXT, (AT) + offsetof(JailOptions, rw),                                      \
                  "DIR",       "Show DIR at /work, and let the command change it" },                  \
                { "persistent",                                                                       \
                  0,                                                                                  \
                  OPTION_TEXT,                                                                        \
                  (AT) + offsetof(JailOptions, persistent),                                           \
                  "NAME",                                                                             \
                  "A workspace: a jail on a disk of its own, which is made, or started as it was "    \
                  "left" },                                                                           \
                { "idle-stop",     0,                                                                 \
                  OPTION_DURATION, (AT) + offsetof(JailOptions, idle_stop),                           \
                  "TIME",          "Stop the workspace when nothing ran in it for so long, as 30m" }, \
                { "ttl",                                                                              \
                  0,                                                                                  \
                  OPTION_DURATION,                                                                    \
                  (AT) + offsetof(JailOptions, ttl),                                                  \
                  "TIME",                                                                             \
                  "Remove the workspace, with its disk, when it was not used for so long, as "        \
                  "168h" },                                                                           \
        {                                                                                             \
                "no-work", 0, OPTION_FLAG, (AT) + offsetof(JailOptions, no_work), NULL,               \
                        "Do not show the current directory at /work"                                  \
        }

#define OPTIONS_EXEC(AT)                                                                           \
        { "time",          't',                                                                    \
          OPTION_DURATION, (AT) + offsetof(ExecOptions, wall),                                     \
          "TIME",          "End the command after this time, as 10m" },                            \
                { "cpu-time",      0,                                                              \
                  OPTION_DURATION, (AT) + offsetof(ExecOptions, cpu_time),                         \
                  "TIME",          "End the command after this much processor time" },             \
                { "user",      'u',                                                                \
                  OPTION_TEXT, (AT) + offsetof(ExecOptions, user),                                 \
                  "UID[:GID]", "Run as this user of the jail" },                                   \
                { "cwd",       'C',                                                                \
                  OPTION_TEXT, (AT) + offsetof(ExecOptions, cwd),                                  \
                  "DIR",       "Directory to start in (default: /work, else /)" },                 \
                { "tty",       0,                                                                  \
                  OPTION_FLAG, (AT) + offsetof(ExecOptions, tty),                                  \
                  NULL,        "Give the command a terminal of its own, for shells and editors" }, \
        {                                                                                          \
                "env", 'e', OPTION_LIST, (AT) + offsetof(ExecOptions, env), "NAME[=VALUE]",        \
                        "Environment; without a value: the caller's"                               \
        }

/**
 * jail_options_add() - "snapshot", "policy", "limits" of jail.create
 * Returns: 0, VERB_E_USAGE with a sentence, or -ENOMEM.
 */
int jail_options_add(const JailOptions *options, cJSON *params, Error *err);

/**
 * exec_words() - "JAIL [--] [CMD [ARG…]]", as @verb has it: the command's words
 *
 * An option behind the jail is refused: it would be the program's name.
 *
 * Returns: 0 or VERB_E_USAGE with a sentence.
 */
int exec_words(const VerbCall *call, const char *verb, char ***ret_words, int *ret_n, Error *err);

/**
 * exec_options_add() - all of EXEC but stdio
 * @argv: the command's words, @n of them; without any the supervisor takes the snapshot's own, if has_own
 *
 * Returns: 0 or VERB_E_USAGE with a sentence.
 */
int exec_options_add(const ExecOptions *options, char **argv, int n, cJSON *exec, Error *err);

/**
 * jail_options_work() - open the directory that the jail shows: the current one, or --rw's
 * @sock: connection to the supervisor, without a name: it gets that of our consent
 *
 * Returns: a descriptor owned by the caller, -EBADF without an error where there is none (--no-work), or
 *          negative errno.
 */
int jail_options_work(const JailOptions *options, int sock, Error *err);

/** jail_options_has_work() - does the jail show a directory of the caller's */
bool jail_options_has_work(const JailOptions *options);

/** jail_options_given() - BIT(LIMIT_*) of outcome.h for each limit that is in @options */
unsigned jail_options_given(const JailOptions *options);

/** exec_options_given() - likewise */
unsigned exec_options_given(const ExecOptions *options);

/** jail_options_snapshot() - the one that is named, by option or environment, borrowed; NULL: none */
const char *jail_options_snapshot(const JailOptions *options);

/** jail_options_user() - "1000" or "1000:100" as a member "user" of @object. Returns: 0 or VERB_E_USAGE */
int jail_options_user(const char *text, cJSON *object, Error *err);

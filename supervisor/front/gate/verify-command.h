#pragma once
/*
 * verify-command: one command of a verify spec, of its "commands" or its "setup": what runs, where, in
 * which environment, and within which limits. A limit here only tightens the policy's.
 */
#include "base/json.h"
#include "base/schema.h"
#include "supervisor/front/commands/commands.h"

#define VERIFY_ARGS_MAX    64
#define VERIFY_REPORTS_MAX 8
#define VERIFY_ID_MAX      72
#define VERIFY_CWD_MAX     1100
#define RUN_OUTPUT_KEEP    INIT_KEEP_MAX /* results stand in the output: keep what can be kept */
#define VERIFY_WALL_USEC   (600u * 1000000ull)  /* of a command that names no time */
#define VERIFY_SETUP_USEC  (3600u * 1000000ull) /* of a setup command that names none */

typedef enum VerifyParse {
        PARSE_EXIT = 0, /* the exit code alone */
        PARSE_TAP,
        PARSE_COUNTS,
        PARSE_JUNIT,
        PARSE_GO,
        PARSE_NODE,
        PARSE_PYTEST,
        PARSE_UNITTEST,
        PARSE_CTEST,
        PARSE_CARGO,
        PARSE_JEST,
        PARSE_MOCHA,
        _VERIFY_PARSE_MAX,
} VerifyParse;

typedef struct VerifyCommand {
        const cJSON *json; /* borrowed from the spec's, like all pointers here */
        char id[VERIFY_ID_MAX];
        const char *argv[VERIFY_ARGS_MAX + 1]; /* ended by NULL */
        const cJSON *env;                      /* variables over the jail's; NULL: none */
        char cwd[VERIFY_CWD_MAX];              /* absolute */
        VerifyParse parse;
        const char *reports[VERIFY_REPORTS_MAX]; /* globs: read rather than the output */
        unsigned n_reports;
        uint64_t wall_usec; /* named, or the default */
        uint64_t cpu_usec;  /* 0, as below: the policy's */
        uint64_t output_max;
        CommandLimits narrow;
} VerifyCommand;

/** verify_parse_name() - "tap": the word of the spec and of warder-files */
const char *verify_parse_name(VerifyParse parse);

/** verify_wrong() - note a fault at @path, a pointer into the spec. Returns: -EINVAL */
int verify_wrong(SchemaFault *fault, const char *path, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/**
 * verify_strings() - the strings of an array; the schema has bounded how many there are
 * Returns: how many, at most @max
 */
unsigned verify_strings(const cJSON *array, const char **items, unsigned max);

/**
 * verify_command_read() - one command, whose shape the schema has checked
 * @place: "commands" or "setup"; @i: its index there
 *
 * Returns: 0; -EINVAL with the field in @fault.
 */
int verify_command_read(const cJSON *json, const char *place, unsigned i, VerifyCommand *ret,
                        SchemaFault *fault);

/**
 * verify_command_fits() - is no limit that it names looser than these, the policy's
 * Returns: 0; -EPERM with the field in @fault.
 */
int verify_command_fits(const VerifyCommand *command, const JailLimits *limits, const char *place,
                        unsigned i, SchemaFault *fault);

/** verify_command_spec() - how it runs in a jail with these limits: the tighter ones hold; without its environment */
CommandSpec verify_command_spec(const VerifyCommand *command, const JailLimits *limits);

#pragma once
/*
 * verify-spec: a verify/1 object, checked: the setup commands, the commands that prove a change right,
 * and the globs of files that a change may not touch.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/owned.h"

#define VERIFY_COMMANDS_MAX 16
#define VERIFY_SETUP_MAX    8
#define VERIFY_GLOBS_MAX    64
#define VERIFY_EXPECT_MAX   256
#define VERIFY_ARGS_MAX     64
#define VERIFY_REPORTS_MAX  8
#define VERIFY_ID_MAX       72
#define VERIFY_WALL_USEC    (600u * 1000000ull)  /* of a command that names no time */
#define VERIFY_SETUP_USEC   (3600u * 1000000ull) /* of a setup command that names none */

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
        char id[VERIFY_ID_MAX];
        const char *argv[VERIFY_ARGS_MAX + 1]; /* borrowed from the spec's json, ended by NULL */
        VerifyParse parse;
        const char *reports
                [VERIFY_REPORTS_MAX]; /* globs, borrowed likewise: read rather than the output */
        unsigned n_reports;
        uint64_t wall_usec;
} VerifyCommand;

typedef struct VerifySpec {
        cJSON *json; /* owned: a copy of what was given */
        VerifyCommand setup[VERIFY_SETUP_MAX];
        unsigned n_setup;
        VerifyCommand commands[VERIFY_COMMANDS_MAX];
        unsigned n_commands;
        const char *protect[VERIFY_GLOBS_MAX]; /* borrowed; the default list where none is given */
        unsigned n_protect;
        const char *allow[VERIFY_GLOBS_MAX];
        unsigned n_allow;
        const char *expect[VERIFY_EXPECT_MAX]; /* names of tests that must newly pass; borrowed */
        unsigned n_expect;
        unsigned need, of; /* reruns: so many runs of so many must pass; 1 of 1 by default */
        uint8_t digest[DIGEST_SIZE]; /* of the canonical text of json */
} VerifySpec;

/**
 * verify_spec_new() - check a verify/1 object and read it
 * @json: borrowed; copied
 * @ret:  owned by the caller
 *
 * Returns: 0; -EINVAL with the field and what it should be; -ENOMEM.
 */
int verify_spec_new(const cJSON *json, VerifySpec **ret, Error *err);
/** verify_spec_free() - NULL is fine. Returns: NULL */
VerifySpec *verify_spec_free(VerifySpec *spec);
DEFINE_SCOPED(VerifySpec *, verify_spec_free);

/** verify_parse_name() - "tap": the word of the spec and of warder-files */
const char *verify_parse_name(VerifyParse parse);

/** verify_spec_names_tests() - does a command of it name or count tests, so that the base must run too */
bool verify_spec_names_tests(const VerifySpec *spec);

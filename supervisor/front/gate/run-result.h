#pragma once
/*
 * run-result: what the commands of a verify spec did once: how each ended, and which tests it named.
 * A result of the base is kept in the ledger as JSON and compared with the result of the patched tree.
 */
#include "base/record.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/gate/verify-spec.h"

#define RUN_TESTS_MAX   20000u /* names of one command, as warder-files bounds them */
#define RUN_WHYS_MAX    1000u  /* that are looked at, each by a search through the names */
#define RUN_NO_PLAN     UINT32_MAX
#define RUN_NAME_MAX    400u /* bytes of a name that are kept */
#define RUN_REPORTS_MAX 160u

typedef struct RunTest {
        char *name;      /* owned */
        uint32_t status; /* TestStatus */
        uint32_t why;    /* TestWhy, where it failed; not kept in the ledger */
} RunTest;

typedef struct RunCommand {
        char id[VERIFY_ID_MAX];
        VerifyParse parse;
        Cause cause;
        int code;
        int signal;
        uint32_t step;
        uint32_t hits;
        uint64_t wall_usec, user_usec, sys_usec;
        uint64_t memory_peak, pids_peak; /* of its jail, so far; 0: not known */
        char *output;                    /* owned: kept text; NULL where none was kept */
        bool output_cut;                 /* bytes are missing from it */
        RunTest *tests;                  /* owned */
        size_t n_tests, room;
        uint64_t passed, failed, skipped;
        uint32_t planned;
        cJSON *samples; /* owned, as samples.h has them; NULL: none */
        bool names_cut; /* more tests than RUN_TESTS_MAX: only the counts are whole */
        unsigned whys;  /* RECORD_WHY that came */
        char reports[RUN_REPORTS_MAX]; /* the globs, "" where its output is read */
        uint64_t reports_read, reports_old;
} RunCommand;

typedef struct RunResult {
        RunCommand commands[VERIFY_COMMANDS_MAX];
        unsigned n;
} RunResult;

/** run_result_new() - empty. Returns: NULL without memory */
RunResult *run_result_new(void);
/** run_result_free() - NULL is fine. Returns: NULL */
RunResult *run_result_free(RunResult *result);
DEFINE_SCOPED(RunResult *, run_result_free);

/** run_result_add() - the next command, by its row in the spec; borrowed from @result; NULL: full */
RunCommand *run_result_add(RunResult *result, const VerifyCommand *command);

/**
 * run_command_record() - take in what warder-files read out of a command's output
 * @record: RECORD_TEST, RECORD_WHY, RECORD_COUNTS, RECORD_DONE; others are ignored
 *
 * Returns: 0, -ENOMEM.
 */
int run_command_record(RunCommand *command, const Record *record);

/** run_command_end() - take in how it ended, and a copy of what it printed */
void run_command_end(RunCommand *command, const CommandEnd *end);
/** run_command_json() - how it ended and what it used, fresh, for events and receipts; NULL: no memory */
cJSON *run_command_json(const RunCommand *command);

/** run_command_is_good() - exited with 0 */
bool run_command_is_good(const RunCommand *command);
/** run_command_find() - by the id of the spec's command; NULL where it did not run */
const RunCommand *run_command_find(const RunResult *result, const char *id);

/** run_result_json() - tests and counts as an object, fresh; without outputs; NULL: no memory */
cJSON *run_result_json(const RunResult *result);
/** run_result_from_json() - the way back. Returns: 0, -EINVAL (not ours), -ENOMEM */
int run_result_from_json(const cJSON *json, RunResult **ret);

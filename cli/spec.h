#pragma once
/*
 * spec: the verify spec of a call: from a file, from the repository, or from flags.
 */
#include "cli/link.h"
#include "cli/verbs.h"
#include "cli/workspace.h"

typedef struct SpecOptions {
        const char *spec;
        OptionList run;
        OptionList protect;
        OptionList allow;
        OptionList expect;
        const char *parse;
        const char *wall;
        const char *held;
        bool tdd;
        bool tdd_strict;
} SpecOptions;

#define OPTIONS_SPEC(AT)                                                                                \
        { "spec",      0,                                                                               \
          OPTION_TEXT, (AT) + offsetof(SpecOptions, spec),                                              \
          "FILE",      "Verify spec (default: .warder/verify.json of the base)" },                      \
                { "run",       'r',                                                                     \
                  OPTION_LIST, (AT) + offsetof(SpecOptions, run),                                       \
                  "COMMAND",   "Instead of a spec: this shell command is the test" },                   \
                { "parse",                                                                              \
                  0,                                                                                    \
                  OPTION_TEXT,                                                                          \
                  (AT) + offsetof(SpecOptions, parse),                                                  \
                  "FORMAT",                                                                             \
                  "With --run: how its tests are read, as tap, pytest, go (see "                        \
                  "warder-verify(5))" },                                                                \
                { "time",      't',                                                                     \
                  OPTION_TEXT, (AT) + offsetof(SpecOptions, wall),                                      \
                  "TIME",      "With --run: end it after this time, as 5m" },                           \
                { "protect",   0,                                                                       \
                  OPTION_LIST, (AT) + offsetof(SpecOptions, protect),                                   \
                  "GLOB",      "Files that the patch may not change, as 'test/**'" },                   \
                { "expect",    0,                                                                       \
                  OPTION_LIST, (AT) + offsetof(SpecOptions, expect),                                    \
                  "TEST",      "This test must newly pass; what fails on the base may go on failing" }, \
                { "tdd",                                                                                \
                  0,                                                                                    \
                  OPTION_FLAG,                                                                          \
                  (AT) + offsetof(SpecOptions, tdd),                                                    \
                  NULL,                                                                                 \
                  "Test first: new tests must fail without the change, and each hunk is tried" },       \
                { "tdd-strict", 0,                                                                      \
                  OPTION_FLAG,  (AT) + offsetof(SpecOptions, tdd_strict),                               \
                  NULL,         "The same, and a hunk that no test needs fails the verdict" },          \
                { "held",      0,                                                                       \
                  OPTION_TEXT, (AT) + offsetof(SpecOptions, held),                                      \
                  "DIR",       "Tests that nobody sees before the end: laid over the tree, run last" }, \
        {                                                                                               \
                "allow", 0, OPTION_LIST, (AT) + offsetof(SpecOptions, allow), "GLOB",                   \
                        "Files that may be changed or added all the same, as Makefile"                  \
        }

#define SPEC_DIR  ".warder"
#define SPEC_PATH SPEC_DIR "/verify.json"

/**
 * spec_load() - the spec that a call means
 * @from_commit: .warder/verify.json of the commit; false: of the working tree
 *
 * Returns: 0 and a tree owned by the caller; VERB_E_USAGE with a sentence; negative errno.
 */
int spec_load(const SpecOptions *options, const Repository *repo, bool from_commit,
              cJSON **ret_spec, Error *err);

/**
 * spec_explain() - an error that says where the spec is wrong: the file and its field, or the option
 * @answer: of a request that was refused
 *
 * Returns: whether the refusal is about the spec; where not, @err stays.
 */
bool spec_explain(const SpecOptions *options, const Answer *answer, Error *err);

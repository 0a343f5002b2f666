/*
 * verdict: see verdict.h. Every rule looks at all commands and says why it holds; the rules stand in
 * judge() in the order of their weight, the first that holds decides.
 */
#include "supervisor/front/gate/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/compare.h"

static const char *const names[_VERDICT_KIND_MAX] = {
        [VERDICT_PASSED] = "passed",     [VERDICT_FAILED] = "failed",   [VERDICT_FLAKY] = "flaky",
        [VERDICT_TAMPERED] = "tampered", [VERDICT_TIMEOUT] = "timeout", [VERDICT_ERROR] = "error",
};

const char *verdict_name(VerdictKind kind) {
        return names[kind];
}

int verdict_exit(const Verdict *verdict) {
        static const int codes[_VERDICT_KIND_MAX] = {
                [VERDICT_PASSED] = 0,   [VERDICT_FAILED] = 1,  [VERDICT_FLAKY] = 1,
                [VERDICT_TAMPERED] = 5, [VERDICT_TIMEOUT] = 3, [VERDICT_ERROR] = 6,
        };

        if ((verdict->kind == VERDICT_FAILED || verdict->kind == VERDICT_ERROR) && verdict->limit)
                return 3;
        return verdict->kind == VERDICT_ERROR && verdict->is_input ? 2 : codes[verdict->kind];
}

int verdict_init(Verdict *verdict) {
        *verdict = (Verdict){ .kind = VERDICT_ERROR };
        verdict->failing = cJSON_CreateArray();
        verdict->known = cJSON_CreateArray();
        verdict->missing = cJSON_CreateArray();
        verdict->skipped = cJSON_CreateArray();
        verdict->flaky = cJSON_CreateArray();
        if (verdict->failing && verdict->known && verdict->missing && verdict->skipped &&
            verdict->flaky)
                return 0;
        verdict_deinit(verdict);
        return -ENOMEM;
}

void verdict_deinit(Verdict *verdict) {
        verdict->failing = json_free(verdict->failing);
        verdict->known = json_free(verdict->known);
        verdict->missing = json_free(verdict->missing);
        verdict->skipped = json_free(verdict->skipped);
        verdict->flaky = json_free(verdict->flaky);
        verdict->tdd = json_free(verdict->tdd);
        verdict->held = json_free(verdict->held);
}

void verdict_say(Verdict *verdict, VerdictKind kind, const char *cause, const char *format, ...) {
        va_list args;

        verdict->kind = kind;
        (void) snprintf(verdict->cause, sizeof(verdict->cause), "%s", cause);
        va_start(args, format);
        (void) vsnprintf(verdict->reason, sizeof(verdict->reason), format, args);
        va_end(args);
}

/* ---- counting ------------------------------------------------------------------------------------ */

static int compare_all(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];
                const RunCommand *base = NULL;
                int r;

                verdict->tests.run += run->passed + run->failed;
                verdict->tests.passed += run->passed;
                verdict->tests.failed += run->failed;
                verdict->tests.skipped += run->skipped;
                if (facts->base)
                        base = run_command_find(facts->base, run->id);
                if (base)
                        verdict->tests.base += base->passed + base->failed + base->skipped;
                r = compare_names(base, run, verdict);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- rules: true where the rule decided ---------------------------------------------------------- */

static bool rule_tampered(Verdict *verdict, const VerdictCase *facts) {
        int restored = cJSON_GetArraySize(facts->touched->restored);
        int dangerous = cJSON_GetArraySize(facts->touched->dangerous);
        const cJSON *first;

        if (restored == 0 && dangerous == 0)
                return false;
        first = cJSON_GetArrayItem(restored ? facts->touched->restored : facts->touched->dangerous,
                                   0);
        if (restored)
                verdict_say(verdict, VERDICT_TAMPERED, "protected_files",
                            "the patch changes or deletes %d protected file(s), first %s; they "
                            "were put "
                            "back before the tests ran: leave protected files as they are",
                            restored, first->valuestring);
        else
                verdict_say(
                        verdict, VERDICT_TAMPERED, "dangerous_files",
                        "the patch adds %d file(s) that change how tests run, or that setup or a "
                        "build makes, first %s; they were taken away: leave them out, or name them "
                        "in \"allow\" of the verify spec",
                        dangerous, first->valuestring);
        return true;
}

/* The supervisor's fault or the spec's, not the patch's: the command was not carried out */
static bool rule_error(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];

                if (run->cause == CAUSE_NOT_STARTED && run->step == INIT_STEP_CWD) {
                        verdict_say(verdict, VERDICT_ERROR, cause_name(run->cause),
                                    "the command \"%s\" could not be started in %.200s: %s",
                                    run->id, facts->spec->commands[i].cwd,
                                    strerror(run->code < 0 ? -run->code : run->code));
                        return true;
                }
                if (run->cause == CAUSE_NOT_STARTED) {
                        verdict_say(
                                verdict, VERDICT_ERROR, cause_name(run->cause),
                                "the command \"%s\" could not be started: %s. Is it there in the "
                                "snapshot, and spelled right in the verify spec?",
                                run->id, strerror(run->code < 0 ? -run->code : run->code));
                        return true;
                }
                if (run->cause == CAUSE_JAIL_ENDED || run->cause == CAUSE_SUPERVISOR_LOST ||
                    run->cause == CAUSE_KILLED_BY_CLIENT) {
                        verdict_say(verdict, VERDICT_ERROR, cause_name(run->cause),
                                    "the command \"%s\" was ended before it was done (%s)", run->id,
                                    cause_name(run->cause));
                        return true;
                }
        }
        return false;
}

static bool rule_timeout(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];

                if (run->cause != CAUSE_WALL_TIMEOUT && run->cause != CAUSE_CPU_TIMEOUT)
                        continue;
                verdict->limit = true;
                verdict_say(verdict, VERDICT_TIMEOUT, cause_name(run->cause),
                            "the command \"%s\" was ended because its time was used up (%s)",
                            run->id, cause_name(run->cause));
                return true;
        }
        return false;
}

static bool rule_limit(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];

                if (run->cause != CAUSE_OOM && run->cause != CAUSE_PIDS_LIMIT &&
                    run->cause != CAUSE_DISK_LIMIT && run->cause != CAUSE_OUTPUT_LIMIT)
                        continue;
                verdict->limit = true;
                verdict_say(verdict, VERDICT_FAILED, cause_name(run->cause),
                            "the command \"%s\" met a limit of its jail (%s)", run->id,
                            cause_name(run->cause));
                return true;
        }
        return false;
}

#define NOT_RUN "is not among the tests that ran"

/* What did a test of this name do now: "" where it passed */
static const char *fate_of(const RunResult *run, const char *name) {
        const char *fate = NOT_RUN;

        for (unsigned i = 0; i < run->n; i++) {
                const RunCommand *command = &run->commands[i];

                for (size_t k = 0; k < command->n_tests; k++) {
                        if (strcmp(command->tests[k].name, name) != 0)
                                continue;
                        if (command->tests[k].status == TEST_FAILED)
                                return "fails";
                        fate = command->tests[k].status == TEST_PASSED ? "" : "is skipped";
                }
        }
        return fate;
}

/* A test that ran whose name holds @name: runners put a module around what people call a test. NULL: none */
static const char *longer_name(const RunResult *run, const char *name) {
        for (unsigned i = 0; i < run->n; i++)
                for (size_t k = 0; k < run->commands[i].n_tests; k++)
                        if (strstr(run->commands[i].tests[k].name, name))
                                return run->commands[i].tests[k].name;
        return NULL;
}

static unsigned count_passed(const RunResult *run, const char *name) {
        unsigned n = 0;

        for (unsigned i = 0; i < run->n; i++)
                for (size_t k = 0; k < run->commands[i].n_tests; k++)
                        n += run->commands[i].tests[k].status == TEST_PASSED &&
                             strcmp(run->commands[i].tests[k].name, name) == 0;
        return n;
}

/* Several tests may have one name, as assertions without a message in tape: one more of them must pass. */
static bool rule_not_new(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; facts->base && i < facts->spec->n_expect; i++) {
                const char *name = facts->spec->expect[i];

                if (count_passed(facts->run, name) > count_passed(facts->base, name))
                        continue;
                verdict_say(
                        verdict, VERDICT_FAILED, "expected_passes_before",
                        "the test \"%.200s\" must newly pass (\"expect\" of the verify spec), but "
                        "it passes without the patch as well: name one that does not",
                        name);
                return true;
        }
        return false;
}

static bool rule_expected(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->spec->n_expect; i++) {
                const char *name = facts->spec->expect[i], *meant = NULL;
                const char *fate = fate_of(facts->run, name);

                if (!*fate)
                        continue;
                if (strcmp(fate, NOT_RUN) == 0)
                        meant = longer_name(facts->run, name);
                verdict_say(
                        verdict, VERDICT_FAILED, "expected_fails",
                        "the test \"%.200s\" must pass now (\"expect\" of the verify spec), but it "
                        "%s%s%.200s%s",
                        name, fate, meant ? "; did you mean \"" : "", meant ? meant : "",
                        meant ? "\"?" : "");
                return true;
        }
        return false;
}

static bool rule_tests_fail(Verdict *verdict, const VerdictCase *facts) {
        const cJSON *first = cJSON_GetArrayItem(verdict->failing, 0);
        uint64_t failed = verdict->tests.failed;
        char known[128] = "";

        if (failed == 0 && !first)
                return false;
        if (facts->spec->n_expect > 0 && failed == verdict->tests.known)
                return false;
        if (verdict->tests.known > 0)
                (void) snprintf(known, sizeof(known), "; %llu of them on the base as well%s",
                                (unsigned long long) verdict->tests.known,
                                facts->spec->n_expect > 0
                                        ? ""
                                        : " (\"expect\" of a spec names what must newly pass)");
        verdict_say(verdict, VERDICT_FAILED, "tests_failed", "%llu of %llu tests fail%s%s%s",
                    (unsigned long long) failed, (unsigned long long) verdict->tests.run,
                    first ? ", first " : "", first ? first->valuestring : "", known);
        return true;
}

/* A runner that exits with another code than 0 because of tests that fail on the base too, which the spec allows */
static bool is_excused(const Verdict *verdict, const VerdictCase *facts, const RunCommand *run) {
        return facts->spec->n_expect > 0 && run->cause == CAUSE_EXITED && run->failed > 0 &&
               verdict->tests.known == verdict->tests.failed;
}

static bool rule_command_fails(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];

                if (run_command_is_good(run) || is_excused(verdict, facts, run))
                        continue;
                if (run->signal)
                        verdict_say(verdict, VERDICT_FAILED, "command_failed",
                                    "the command \"%s\" was ended by signal %d", run->id,
                                    run->signal);
                else
                        verdict_say(verdict, VERDICT_FAILED, "command_failed",
                                    "the command \"%s\" exited with %d%s", run->id, run->code,
                                    run->passed > 0 && run->failed == 0
                                            ? ", though none of its tests failed"
                                            : "");
                return true;
        }
        return false;
}

static void say_no_tests(Verdict *verdict, const RunCommand *run) {
        if (!run->reports[0])
                verdict_say(verdict, VERDICT_FAILED, "no_tests",
                            "no test ran: the output of \"%s\" holds no result in the form \"%s\"",
                            run->id, verify_parse_name(run->parse));
        else if (run->reports_read > 0)
                verdict_say(
                        verdict, VERDICT_FAILED, "no_tests",
                        "no test ran: of %llu reports of \"%s\" (%s) none holds a result in the "
                        "form \"%s\"",
                        (unsigned long long) run->reports_read, run->id, run->reports,
                        verify_parse_name(run->parse));
        else if (run->reports_old > 0)
                verdict_say(verdict, VERDICT_FAILED, "no_tests",
                            "no test ran: \"%s\" wrote no report; what matches \"report\" (%s) was "
                            "there before it began",
                            run->id, run->reports);
        else
                verdict_say(verdict, VERDICT_FAILED, "no_tests",
                            "no test ran: \"%s\" wrote no file that matches its \"report\", %s "
                            "(globs begin at /work, also with \"cwd\")",
                            run->id, run->reports);
}

static bool rule_no_tests(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];

                if (run->parse == PARSE_EXIT || run->passed + run->failed > 0)
                        continue;
                say_no_tests(verdict, run);
                return true;
        }
        return false;
}

static bool rule_plan(Verdict *verdict, const VerdictCase *facts) {
        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];
                uint64_t seen = run->passed + run->failed + run->skipped;

                if (run->parse != PARSE_TAP || run->planned == RUN_NO_PLAN || run->planned <= seen)
                        continue;
                verdict_say(verdict, VERDICT_FAILED, "tests_missing",
                            "the command \"%s\" planned %u tests and %llu reported%s", run->id,
                            run->planned, (unsigned long long) seen,
                            run->output_cut ? " in what was kept of its output" : "");
                return true;
        }
        return false;
}

static bool rule_fewer(Verdict *verdict, const VerdictCase *facts) {
        const cJSON *missing = cJSON_GetArrayItem(verdict->missing, 0);
        const cJSON *skipped = cJSON_GetArrayItem(verdict->skipped, 0);

        for (unsigned i = 0; i < facts->run->n; i++) {
                const RunCommand *run = &facts->run->commands[i];
                const RunCommand *base =
                        facts->base ? run_command_find(facts->base, run->id) : NULL;
                CompareCounts counts = compare_counts(base, run);

                if (missing || counts == COMPARE_FEWER) {
                        verdict_say(
                                verdict, VERDICT_FAILED, "tests_missing",
                                "fewer tests than on the base%s%s: a test that is gone does not "
                                "count as passed",
                                missing ? ", missing " : "", missing ? missing->valuestring : "");
                        return true;
                }
                if (skipped || counts == COMPARE_SKIPPED) {
                        verdict_say(
                                verdict, VERDICT_FAILED, "tests_skipped",
                                "a test that ran on the base is skipped now%s%s: skipped does not "
                                "count as passed",
                                skipped ? ", " : "", skipped ? skipped->valuestring : "");
                        return true;
                }
        }
        return false;
}

static bool rule_not_all_ran(Verdict *verdict, const VerdictCase *facts) {
        if (facts->run->n == facts->spec->n_commands)
                return false;
        verdict_say(verdict, VERDICT_ERROR, "not_run", "the command \"%s\" did not run",
                    facts->spec->commands[facts->run->n].id);
        return true;
}

int verdict_judge(Verdict *verdict, const VerdictCase *facts) {
        /* failing tests say more than the exit code that they cause, so they are named first */
        static bool (*const rules[])(Verdict *, const VerdictCase *) = {
                rule_tampered, rule_error,      rule_timeout,       rule_limit,
                rule_expected, rule_tests_fail, rule_command_fails, rule_no_tests,
                rule_plan,     rule_fewer,      rule_not_new,       rule_not_all_ran,
        };
        int r;

        r = compare_all(verdict, facts);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < ELEMENTS(rules); i++)
                if (rules[i](verdict, facts))
                        return 0;
        verdict->kind = VERDICT_PASSED;
        verdict->cause[0] = 0;
        (void) snprintf(verdict->reason, sizeof(verdict->reason), "%s",
                        verify_spec_names_tests(facts->spec)
                                ? "every test of the base ran and passed"
                                : "every command exited with 0");
        return 0;
}

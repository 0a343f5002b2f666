/*
 * The rules of the gate: what passes, and every way not to.
 */
#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/patch-apply.h"
#include "supervisor/front/gate/verdict-json.h"
#include "supervisor/front/gate/verdict-runs.h"
#include "supervisor/front/gate/verdict.h"
#include "tests/tap.h"

static VerifySpec *spec_of(const char *parse) {
        SCOPED(json_free) cJSON *json = NULL;
        VerifySpec *spec = NULL;
        SchemaFault fault = { .path = "" };
        char text[256];

        (void) snprintf(text, sizeof(text),
                        "{\"warder\":\"verify/1\",\"commands\":[{\"id\":\"t\",\"run\":[\"x\"],"
                        "\"parse\":\"%s\"}]}",
                        parse);
        if (json_parse(text, strlen(text), 0, &json, NULL) < 0 ||
            verify_spec_new(json, &spec, &fault) < 0)
                printf("Bail out! %s\n", fault.text);
        return spec;
}

/* "+name -name ~name": passed, failed, skipped; counts follow */
static RunResult *run_of(const VerifySpec *spec, const char *tests) {
        RunResult *result = run_result_new();
        RunCommand *command = run_result_add(result, &spec->commands[0]);
        uint64_t counts[4] = { 0 };
        char copy[256], *save = NULL;

        (void) snprintf(copy, sizeof(copy), "%s", tests);
        for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                Record record = { .head.kind = RECORD_TEST };

                record.head.flags = *word == '+'   ? TEST_PASSED
                                    : *word == '-' ? TEST_FAILED
                                                   : TEST_SKIPPED;
                counts[record.head.flags]++;
                (void) snprintf(record.data, sizeof(record.data), "%s", word + 1);
                (void) run_command_record(command, &record);
        }
        command->passed = counts[TEST_PASSED];
        command->failed = counts[TEST_FAILED];
        command->skipped = counts[TEST_SKIPPED];
        return result;
}

/* The same with "expect" */
static VerifySpec *spec_expecting(const char *names) {
        SCOPED(json_free) cJSON *json = NULL;
        VerifySpec *spec = NULL;
        SchemaFault fault = { .path = "" };
        char text[512];

        (void) snprintf(text, sizeof(text),
                        "{\"warder\":\"verify/1\",\"commands\":[{\"id\":\"t\",\"run\":[\"x\"],"
                        "\"parse\":\"tap\"}],\"expect\":[%s]}",
                        names);
        if (json_parse(text, strlen(text), 0, &json, NULL) < 0 ||
            verify_spec_new(json, &spec, &fault) < 0)
                printf("Bail out! %s\n", fault.text);
        return spec;
}

typedef struct Case {
        const char *parse;
        const char *base; /* NULL: the base did not run */
        const char *run;
        int code;
        Cause cause;
        const char *restored;
        const char *dangerous;
        VerdictKind kind;
        const char *why; /* cause of the verdict */
        int exit_code;
} Case;

static const Case cases[] = {
        { "exit", NULL, "", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 },
        { "exit", NULL, "", 2, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "command_failed", 1 },
        { "tap", "+a -b", "+a +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 },
        { "tap", "+a -b", "+a +b +new", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 },
        { "tap", "+a -b", "+a -b", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "tests_failed", 1 },
        { "tap", "+a -b", "+a -b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "tests_failed", 1 },
        { "tap", "+a -b", "+a +b", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "command_failed",
          1 },
        { "tap", "+a -b", "+a", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "tests_missing", 1 },
        { "tap", "+a -b", "+a +c", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "tests_missing",
          1 },
        { "tap", "+a +a -b", "+a +b +c", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
          "tests_missing", 1 },
        { "tap", "+a -b", "+a ~b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "tests_skipped",
          1 },
        { "tap", "+a ~b", "+a ~b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 },
        { "tap", "+a ~b", "+a +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 },
        { "tap", "", "", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "no_tests", 1 },
        { "tap", "+a", "~a", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "no_tests", 1 },
        { "tap", "-a", "+a", 0, CAUSE_EXITED, "tests/a.c", NULL, VERDICT_TAMPERED,
          "protected_files", 5 },
        { "tap", "-a", "+a", 0, CAUSE_EXITED, NULL, "conftest.py", VERDICT_TAMPERED,
          "dangerous_files", 5 },
        { "tap", "-a", "-a", 1, CAUSE_EXITED, "tests/a.c", NULL, VERDICT_TAMPERED,
          "protected_files", 5 },
        { "tap", "-a", "+a", 0, CAUSE_WALL_TIMEOUT, NULL, NULL, VERDICT_TIMEOUT, "wall_timeout",
          3 },
        { "tap", "-a", "", 0, CAUSE_OUTPUT_LIMIT, NULL, NULL, VERDICT_FAILED, "output_limit", 3 },
        { "exit", NULL, "", 0, CAUSE_OOM, NULL, NULL, VERDICT_FAILED, "oom", 3 },
        { "exit", NULL, "", -2, CAUSE_NOT_STARTED, NULL, NULL, VERDICT_ERROR, "not_started", 6 },
        { "exit", NULL, "", 0, CAUSE_JAIL_ENDED, NULL, NULL, VERDICT_ERROR, "jail_ended", 6 },
};

static void add_text(cJSON *list, const char *text) {
        if (text)
                (void) json_push_text(list, text);
}

static void judge(const Case *one, Verdict *verdict, const VerifySpec *spec) {
        SCOPED(run_result_free) RunResult *base = one->base ? run_of(spec, one->base) : NULL;
        SCOPED(run_result_free) RunResult *run = run_of(spec, one->run);
        Touched touched = { .restored = cJSON_CreateArray(),
                            .dangerous = cJSON_CreateArray(),
                            .new_tests = cJSON_CreateArray() };
        VerdictCase facts = { .spec = spec, .base = base, .run = run, .touched = &touched };

        add_text(touched.restored, one->restored);
        add_text(touched.dangerous, one->dangerous);
        run->commands[0].cause = one->cause;
        run->commands[0].code = one->code;
        ok(verdict_judge(verdict, &facts) == 0, "judged");
        json_free(touched.restored);
        json_free(touched.dangerous);
        json_free(touched.new_tests);
}

static void test_rules(void) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const Case *one = &cases[i];
                SCOPED(verify_spec_free) VerifySpec *spec = spec_of(one->parse);
                Verdict verdict;

                (void) verdict_init(&verdict);
                judge(one, &verdict, spec);
                ok(verdict.kind == one->kind && strcmp(verdict.cause, one->why) == 0 &&
                           verdict_exit(&verdict) == one->exit_code,
                   "%s: base \"%s\", now \"%s\": %s %s: %s", one->parse, one->base ? one->base : "",
                   one->run, verdict_name(verdict.kind), verdict.cause, verdict.reason);
                verdict_deinit(&verdict);
        }
}

typedef struct Expected {
        const char *expect;
        Case one;
} Expected;

static const Expected expected[] = {
        { "\"b\"",
          { "tap", "+a -b -c", "+a +b -c", 1, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 } },
        { "\"b\"",
          { "tap", "+a -b -c", "+a -b -c", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "expected_fails", 1 } },
        { "\"b\"",
          { "tap", "+a -c", "+a +b -c", 1, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 } },
        { "\"b\"",
          { "tap", "+a -b", "+a ~b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "expected_fails",
            1 } },
        { "\"b\", \"c\"",
          { "tap", "+a -b", "+a +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "expected_fails",
            1 } },
        { "\"b\"",
          { "tap", "+a -b -c", "-a +b -c", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "tests_failed", 1 } },
        { "\"b\"",
          { "tap", "+a -b", "+a +b -new", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "tests_failed", 1 } },
        { "\"b\"",
          { "tap", "+a -b -c", "+a +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "tests_missing", 1 } },
        { "\"b\"",
          { "tap", "+a +c -c -b", "+a -c -c +b", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "tests_failed", 1 } },
        { "\"b\"",
          { "tap", "+a -b", "+a +b", 1, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED, "command_failed",
            1 } },
        { "\"b\"",
          { "tap", "+a -b -c", "+a +b -c", 0, CAUSE_SIGNALED, NULL, NULL, VERDICT_FAILED,
            "command_failed", 1 } },
        { "\"b\"",
          { "tap", "+a +b", "+a +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "expected_passes_before", 1 } },
        { "\"b\"",
          { "tap", "+b +b", "+b +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_FAILED,
            "expected_passes_before", 1 } },
        { "\"b\"",
          { "tap", "+b +b", "+b +b +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 } },
        { "\"b\"",
          { "tap", "+b -b", "+b +b", 0, CAUSE_EXITED, NULL, NULL, VERDICT_PASSED, "", 0 } },
};

static void test_expected(void) {
        for (size_t i = 0; i < ELEMENTS(expected); i++) {
                const Case *one = &expected[i].one;
                SCOPED(verify_spec_free) VerifySpec *spec = spec_expecting(expected[i].expect);
                Verdict verdict;

                (void) verdict_init(&verdict);
                judge(one, &verdict, spec);
                ok(verdict.kind == one->kind && strcmp(verdict.cause, one->why) == 0,
                   "expect %s: base \"%s\", now \"%s\": %s %s: %s", expected[i].expect, one->base,
                   one->run, verdict_name(verdict.kind), verdict.cause, verdict.reason);
                verdict_deinit(&verdict);
        }
}

/* A name that no test bears, and that is a part of one's */
static void test_meant(void) {
        const Case one = { "tap", "+a -new",      "+a +new",        0, CAUSE_EXITED, NULL,
                           NULL,  VERDICT_FAILED, "expected_fails", 1 };
        SCOPED(verify_spec_free) VerifySpec *part = spec_expecting("\"ne\"");
        SCOPED(verify_spec_free) VerifySpec *other = spec_expecting("\"old\"");
        Verdict verdict;

        (void) verdict_init(&verdict);
        judge(&one, &verdict, part);
        ok(strstr(verdict.reason, "did you mean \"new\"?"), "part of a name: %s", verdict.reason);
        verdict_deinit(&verdict);
        (void) verdict_init(&verdict);
        judge(&one, &verdict, other);
        ok(!strstr(verdict.reason, "did you mean"), "no part of any: %s", verdict.reason);
        verdict_deinit(&verdict);
}

typedef struct Runs {
        const char *fates; /* of each run: '+' passed, or the name of the test that failed */
        unsigned need;
        VerdictKind kind;
        const char *flaky;
} Runs;

static const Runs runs[] = {
        { "+", 1, VERDICT_PASSED, "" },    { "a", 1, VERDICT_FAILED, "" },
        { "a+", 1, VERDICT_PASSED, "a" },  { "ab+", 1, VERDICT_PASSED, "ab" },
        { "a+b", 2, VERDICT_FLAKY, "ab" }, { "+a+", 2, VERDICT_PASSED, "a" },
        { "+aa", 2, VERDICT_FLAKY, "a" },  { "aa", 2, VERDICT_FAILED, "" },
};

static void test_runs(void) {
        for (size_t i = 0; i < ELEMENTS(runs); i++) {
                char seen[16] = "";
                const cJSON *name;
                VerdictRuns all;

                (void) verdict_runs_init(&all);
                for (const char *at = runs[i].fates; *at; at++) {
                        const char text[2] = { *at, 0 };

                        all.verdict.kind = *at == '+' ? VERDICT_PASSED : VERDICT_FAILED;
                        if (*at != '+')
                                (void) json_push_text(all.verdict.failing, text);
                        verdict_runs_count(&all);
                        if (at[1])
                                (void) verdict_runs_next(&all);
                }
                verdict_runs_merge(&all, runs[i].need);
                cJSON_ArrayForEach(name, all.verdict.flaky)(void) strcat(seen, name->valuestring);
                ok(all.verdict.kind == runs[i].kind && strcmp(seen, runs[i].flaky) == 0,
                   "runs %s, %u needed: %s, flaky \"%s\"", runs[i].fates, runs[i].need,
                   verdict_name(all.verdict.kind), seen);
                verdict_runs_deinit(&all);
        }
}

/* A runner that only counts: 3 passed on the base, 2 now */
static void test_counts(void) {
        SCOPED(verify_spec_free) VerifySpec *spec = spec_of("counts");
        SCOPED(run_result_free) RunResult *base = run_of(spec, "");
        SCOPED(run_result_free) RunResult *run = run_of(spec, "");
        Touched touched = { .restored = cJSON_CreateArray(),
                            .dangerous = cJSON_CreateArray(),
                            .new_tests = cJSON_CreateArray() };
        VerdictCase facts = { .spec = spec, .base = base, .run = run, .touched = &touched };
        Verdict verdict;

        (void) verdict_init(&verdict);
        base->commands[0].passed = 2;
        base->commands[0].failed = 1;
        run->commands[0].passed = 2;
        (void) verdict_judge(&verdict, &facts);
        ok(verdict.kind == VERDICT_FAILED && strcmp(verdict.cause, "tests_missing") == 0,
           "fewer by number: %s", verdict.reason);
        verdict_deinit(&verdict);
        (void) verdict_init(&verdict);
        run->commands[0].passed = 3;
        (void) verdict_judge(&verdict, &facts);
        ok(verdict.kind == VERDICT_PASSED && verdict.tests.base == 3 && verdict.tests.run == 3,
           "as many");
        verdict_deinit(&verdict);
        (void) verdict_init(&verdict);
        run->commands[0].passed = 1000000;
        run->commands[0].names_cut = true;
        (void) verdict_judge(&verdict, &facts);
        ok(verdict.kind == VERDICT_FAILED && strcmp(verdict.cause, "tests_missing") == 0,
           "a flood of names hides no missing one: %s", verdict.reason);
        verdict_deinit(&verdict);
        json_free(touched.restored);
        json_free(touched.dangerous);
        json_free(touched.new_tests);
}

static void test_json(void) {
        SCOPED(verify_spec_free) VerifySpec *spec = spec_of("tap");
        SCOPED(run_result_free) RunResult *run = run_of(spec, "+a -b");
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(json_free) cJSON *again = NULL;
        autofree char *detail = NULL;
        Touched touched = { .restored = cJSON_CreateArray(),
                            .dangerous = cJSON_CreateArray(),
                            .new_tests = cJSON_CreateArray() };
        VerdictCase seen = { .spec = spec, .run = run, .touched = &touched };
        Verdict verdict;
        VerdictFacts facts = {
                .verdict = &verdict, .touched = &touched, .run = run, .n = 2, .spec = spec->digest
        };

        (void) verdict_init(&verdict);
        run->commands[0].code = 1;
        run->commands[0].output = strdup("one\ntwo\nnot ok 2 - b\n");
        add_text(touched.dangerous, "conftest.py");
        (void) verdict_judge(&verdict, &seen);
        json = verdict_json(&facts);
        again = verdict_json(&facts);
        detail = verdict_detail(&facts);
        ok(json && strcmp(json_text(json, "warder"), "verdict/1") == 0, "a verdict/1");
        ok(cJSON_GetArraySize(json_get(json, "restored")) == 1, "what was taken away stands in it");
        ok(strcmp(json_text(json_at(json, "/commands/0"), "cause"), "exited") == 0, "its command");
        ok(strcmp(json_text(json, "digest"), json_text(again, "digest")) == 0, "a stable digest");
        ok(detail && strstr(detail, "not ok 2 - b") && strstr(detail, "conftest.py") &&
                   strlen(detail) < VERDICT_DETAIL_MAX,
           "a text that says it");
        verdict_deinit(&verdict);
        json_free(touched.restored);
        json_free(touched.dangerous);
        json_free(touched.new_tests);
}

static void test_kept(void) {
        SCOPED(verify_spec_free) VerifySpec *spec = spec_of("tap");
        SCOPED(run_result_free) RunResult *run = run_of(spec, "+a -b ~c");
        SCOPED(json_free) cJSON *json = run_result_json(run);
        SCOPED(run_result_free) RunResult *back = NULL;

        ok(run_result_from_json(json, &back) == 0, "a result of the base is kept as JSON");
        ok(back && back->n == 1 && back->commands[0].n_tests == 3 && back->commands[0].skipped == 1,
           "and comes back whole");
}

int main(void) {
        test_rules();
        test_expected();
        test_meant();
        test_runs();
        test_counts();
        test_json();
        test_kept();
        return tap_end();
}

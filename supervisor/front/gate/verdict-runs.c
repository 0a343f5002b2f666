/* verdict-runs: see verdict-runs.h. */
#include "supervisor/front/gate/verdict-runs.h"

#include <stdio.h>
#include <string.h>

static bool has_name(const cJSON *list, const char *name) {
        const cJSON *one;

        cJSON_ArrayForEach(one, list) {
                if (strcmp(one->valuestring, name) == 0)
                        return true;
        }
        return false;
}

static void add_names(cJSON *list, const cJSON *more) {
        const cJSON *one;

        cJSON_ArrayForEach(one, more) {
                if ((unsigned) cJSON_GetArraySize(list) < VERDICT_NAMES_MAX &&
                    !has_name(list, one->valuestring))
                        (void) json_push_text(list, one->valuestring);
        }
}

/* Where this run failed, what failed in it may be flaky */
static void collect(Verdict *verdict) {
        if (verdict->kind != VERDICT_PASSED)
                add_names(verdict->flaky, verdict->failing);
}

static void merge(Verdict *last, unsigned need) {
        collect(last);
        if (last->runs_passed == 0) { /* what fails every time is not flaky */
                while (cJSON_GetArraySize(last->flaky) > 0)
                        cJSON_DeleteItemFromArray(last->flaky, 0);
        } else if (last->runs_passed < need) {
                verdict_say(last, VERDICT_FLAKY, "flaky",
                            "only %u of %u runs passed, and %u had to: the tests do not tell the "
                            "same every time",
                            last->runs_passed, last->runs, need);
        } else if (last->runs > 1) {
                (void) snprintf(last->reason, sizeof(last->reason),
                                "%u of %u runs passed, and %u had to", last->runs_passed,
                                last->runs, need);
        }
}

int verdict_runs_init(VerdictRuns *runs) {
        *runs = (VerdictRuns){ 0 };
        return verdict_init(&runs->verdict);
}

void verdict_runs_deinit(VerdictRuns *runs) {
        runs->result = run_result_free(runs->result);
        runs->failed_result = run_result_free(runs->failed_result);
        verdict_deinit(&runs->failed);
        verdict_deinit(&runs->verdict);
}

void verdict_runs_count(VerdictRuns *runs) {
        runs->verdict.runs++;
        runs->verdict.runs_passed += runs->verdict.kind == VERDICT_PASSED;
}

/* It is about the patch, or the host: running again says the same */
static bool is_final(const Verdict *verdict) {
        return verdict->kind == VERDICT_TAMPERED || verdict->kind == VERDICT_ERROR;
}

bool verdict_runs_decided(const VerdictRuns *runs, unsigned need, unsigned of) {
        const Verdict *verdict = &runs->verdict;

        return is_final(verdict) || verdict->runs_passed >= need ||
               verdict->runs - verdict->runs_passed > of - need;
}

int verdict_runs_next(VerdictRuns *runs) {
        Verdict verdict = { 0 };
        unsigned n = runs->verdict.runs, passed = runs->verdict.runs_passed;

        if (verdict_init(&verdict) < 0)
                return -ENOMEM;
        collect(&runs->verdict);
        json_free(verdict.flaky);
        verdict.flaky = TAKE_PTR(runs->verdict.flaky);
        if (runs->verdict.kind != VERDICT_PASSED) {
                verdict_deinit(&runs->failed);
                runs->failed = runs->verdict;
                run_result_free(runs->failed_result);
                runs->failed_result = TAKE_PTR(runs->result);
        } else {
                verdict_deinit(&runs->verdict);
        }
        runs->result = run_result_free(runs->result);
        runs->verdict = verdict;
        runs->verdict.runs = n;
        runs->verdict.runs_passed = passed;
        return 0;
}

void verdict_runs_merge(VerdictRuns *runs, unsigned need) {
        if (is_final(&runs->verdict))
                return;
        merge(&runs->verdict, need);
        if (runs->verdict.kind != VERDICT_FLAKY || !runs->failed_result)
                return;
        run_result_free(runs->result);
        runs->result = TAKE_PTR(runs->failed_result);
}

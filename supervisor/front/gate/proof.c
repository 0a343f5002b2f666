/* proof: see proof.h. One thing is under way at a time: a trial, or the hunks. */
#include "supervisor/front/gate/proof.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/hunk-trials.h"
#include "supervisor/front/gate/verdict.h"

#define REASON_MAX VERDICT_REASON_MAX

struct Proof {
        Front *front; /* borrowed */
        ProofSpec spec;
        ProofState state;
        Trial *trial;      /* owned: RED, OLD */
        HunkTrials *hunks; /* owned: HUNKS */
        cJSON *tdd;        /* owned */
        char cause[32];
        char reason[REASON_MAX];
};

static const uint8_t next_states[_PROOF_STATE_MAX] = {
        [PROOF_RED] = BIT(PROOF_OLD) | BIT(PROOF_HUNKS),
        [PROOF_OLD] = BIT(PROOF_HUNKS),
};

static void set_state(Proof *proof, ProofState state) {
        if (next_states[proof->state] & BIT(state))
                proof->state = state;
}

static Proof *proof_free(Proof *proof) {
        if (!proof)
                return NULL;
        json_free(proof->tdd);
        free(proof);
        return NULL;
}
DEFINE_SCOPED(Proof *, proof_free);

static void cancel_all(Proof *proof) {
        proof->trial = trial_cancel(proof->trial);
        proof->hunks = hunk_trials_cancel(proof->hunks);
}

static void tell(Proof *proof, const char *phase, cJSON *data) {
        if (proof->spec.event)
                proof->spec.event(phase, data, proof->spec.userdata);
        else
                json_free(data);
}

/* ---- the member of the verdict ------------------------------------------------------------------- */

static cJSON *member_new(const PatchList *list) {
        SCOPED(json_free) cJSON *tdd = cJSON_CreateObject();

        json_add_consume(tdd, "new_tests", cJSON_Duplicate(list->new_tests, true));
        return json_add_consume(tdd, "changed_tests", cJSON_Duplicate(list->changed_tests, true))
                       ? TAKE_PTR(tdd)
                       : NULL;
}

cJSON *proof_nothing(const PatchList *list) {
        cJSON *tdd = member_new(list);

        json_add_bool(tdd, "proved", false);
        return tdd;
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void finish(Proof *proof, const Error *err) {
        SCOPED(proof_free) Proof *owned = proof;
        ProofEnd end = { .err = err,
                         .tdd = proof->tdd,
                         .cause = proof->cause[0] ? proof->cause : NULL,
                         .reason = proof->reason };

        cancel_all(proof);
        json_add_bool(proof->tdd, "proved", !err && !proof->cause[0]);
        proof->spec.done(&end, proof->spec.userdata);
        (void) owned;
}

static void finish_no_memory(Proof *proof) {
        Error err = ERROR_EMPTY;

        error_set(&err, -ENOMEM, "prove the patch");
        finish(proof, &err);
}

static void finish_failed(Proof *proof, const char *cause) {
        (void) snprintf(proof->cause, sizeof(proof->cause), "%s", cause);
        finish(proof, NULL);
}

/* ---- hunks --------------------------------------------------------------------------------------- */

static void add_counts(cJSON *tdd, const HunkCounts *counts) {
        cJSON *json = json_add_object(tdd, "hunks");

        json_add_number(json, "all", counts->all);
        json_add_number(json, "tried", counts->proven + counts->needed + counts->unproven);
        json_add_number(json, "proven", counts->proven);
        json_add_number(json, "needed", counts->needed);
        json_add_number(json, "unproven", counts->unproven);
}

/* The spec may ask that every hunk is proved: then those that nobody tried are none that are */
static void judge_hunks(Proof *proof, const HunkCounts *counts, const cJSON *unproven) {
        const cJSON *first = cJSON_GetArrayItem(unproven, 0);
        unsigned tried = counts->proven + counts->needed + counts->unproven;
        uint64_t line = 0;

        if (first) {
                (void) json_number(first, "line", &line);
                (void) snprintf(
                        proof->reason, REASON_MAX,
                        "no test fails without %u of %llu hunk(s), first %.200s:%llu: add a "
                        "test that needs it, or leave it out",
                        counts->unproven, (unsigned long long) counts->all,
                        json_text(first, "file"), (unsigned long long) line);
                finish_failed(proof, "unproven_hunks");
        } else if (counts->all > tried) {
                (void) snprintf(proof->reason, REASON_MAX,
                                "the patch has %llu hunks, and %u of them are tried: split it, or "
                                "raise \"hunks\" in \"tdd\" of the verify spec",
                                (unsigned long long) counts->all, tried);
                finish_failed(proof, "unproven_hunks");
        } else {
                finish(proof, NULL);
        }
}

static void on_hunks(const HunkTrialsEnd *end, void *userdata) {
        Proof *proof = userdata;

        proof->hunks = NULL;
        if (end->err) {
                finish(proof, end->err);
                return;
        }
        json_add_consume(proof->tdd, "unproven", cJSON_Duplicate(end->unproven, true));
        add_counts(proof->tdd, end->counts);
        if (proof->spec.ground->spec->tdd.strict)
                judge_hunks(proof, end->counts, end->unproven);
        else
                finish(proof, NULL);
}

static void tell_hunk(cJSON *data, void *userdata) {
        tell(userdata, "hunk", data);
}

static void start_hunks(Proof *proof) {
        HunkTrialsSpec spec = { .ground = proof->spec.ground,
                                .list = proof->spec.list,
                                .green = proof->spec.green,
                                .event = tell_hunk,
                                .done = on_hunks,
                                .userdata = proof };
        Error err = ERROR_EMPTY;

        set_state(proof, PROOF_HUNKS);
        if (hunk_trials_start(proof->front, &spec, &proof->hunks, &err) < 0)
                finish(proof, &err);
}

/* ---- one trial after the other ------------------------------------------------------------------- */

static int start_one(Proof *proof, PatchPart part, TrialDoneFn done, Error *err) {
        TrialSpec spec = { .ground = proof->spec.ground,
                           .phase = part == PATCH_PART_TESTS ? "red_results" : "old_results",
                           .part = part,
                           .done = done,
                           .userdata = proof };

        return trial_start(proof->front, &spec, &proof->trial, err);
}

static void on_old(const TrialEnd *end, void *userdata) {
        Proof *proof = userdata;
        cJSON *lost = NULL;
        int r = 0;

        proof->trial = NULL;
        if (end->err) {
                finish(proof, end->err);
                return;
        }
        if (!end->refused)
                r = red_old_failing(proof->spec.base, end->result, &lost);
        run_result_free(end->result);
        if (r < 0) {
                finish_no_memory(proof);
                return;
        }
        json_add_text(proof->tdd, "old_tests", cJSON_GetArraySize(lost) > 0 ? "failed" : "passed");
        if (cJSON_GetArraySize(lost) == 0) {
                json_free(lost);
                start_hunks(proof);
                return;
        }
        (void) snprintf(proof->reason, REASON_MAX,
                        "the patch changes tests, and %d of them fail in the form that they had on "
                        "the base, first %.200s: leave them as they are, or add new ones",
                        cJSON_GetArraySize(lost), cJSON_GetArrayItem(lost, 0)->valuestring);
        json_add_consume(proof->tdd, "old_failing", lost);
        finish_failed(proof, "old_tests_fail");
}

static void start_old(Proof *proof) {
        Error err = ERROR_EMPTY;

        if (cJSON_GetArraySize(proof->spec.list->changed_tests) == 0) {
                start_hunks(proof);
                return;
        }
        set_state(proof, PROOF_OLD);
        tell(proof, "old_tests", NULL);
        if (start_one(proof, PATCH_PART_OLD_TESTS, on_old, &err) < 0)
                finish(proof, &err);
}

static void tell_red(Proof *proof, Red *red) {
        json_add_consume(proof->tdd, "red", TAKE_PTR(red->red));
        json_add_consume(proof->tdd, "red_commands", TAKE_PTR(red->commands));
        json_add_consume(proof->tdd, "not_red", TAKE_PTR(red->not_red));
}

static void judge_red(Proof *proof, const RunResult *result) {
        RedCase facts = { .spec = proof->spec.ground->spec,
                          .list = proof->spec.list,
                          .base = proof->spec.base,
                          .red = result,
                          .green = proof->spec.green };
        bool good = false;
        Red red;

        if (red_init(&red) < 0 || red_judge(&facts, &red) < 0) {
                red_deinit(&red);
                finish_no_memory(proof);
                return;
        }
        good = red_is_good(&red);
        if (!good)
                red_reason(&red, proof->reason, REASON_MAX);
        tell_red(proof, &red);
        red_deinit(&red);
        if (good)
                start_old(proof);
        else
                finish_failed(proof, "tests_not_red");
}

static void on_red(const TrialEnd *end, void *userdata) {
        Proof *proof = userdata;
        SCOPED(run_result_free) RunResult *result = end->result;

        proof->trial = NULL;
        if (end->err) {
                finish(proof, end->err);
        } else if (end->refused) {
                (void) snprintf(proof->reason, REASON_MAX,
                                "the tests of the patch do not fit the base without its change");
                finish_failed(proof, "tests_not_red");
        } else {
                judge_red(proof, result);
        }
}

int proof_start(Front *front, const ProofSpec *spec, Proof **ret, Error *err) {
        SCOPED(proof_free) Proof *proof = calloc(1, sizeof(*proof));
        int r;

        if (!proof)
                return error_set(err, -ENOMEM, "prove the patch");
        *proof = (Proof){ .front = front, .spec = *spec, .tdd = member_new(spec->list) };
        if (!proof->tdd)
                return error_set(err, -ENOMEM, "prove the patch");
        tell(proof, "red", NULL);
        r = start_one(proof, PATCH_PART_TESTS, on_red, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(proof);
        return 0;
}

Proof *proof_cancel(Proof *proof) {
        if (!proof)
                return NULL;
        cancel_all(proof);
        return proof_free(proof);
}

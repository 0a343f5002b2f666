/*
 * verify: see verify.h.
 *
 * The patch that is applied is the patch that is delivered: its digest comes from the process that applied
 * it. What that process wrote is an upper that becomes the topmost layer of the root in which the commands
 * run; setup's layer and the base lie below it.
 */
#include "supervisor/front/gate/verify.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/gate/base-run.h"
#include "supervisor/front/gate/remarks.h"
#include "supervisor/front/gate/verdict-json.h"
#include "supervisor/front/gate/verdict-runs.h"
#include "supervisor/front/gate/verify-after.h"
#include "supervisor/front/gate/verify-event.h"
#include "supervisor/front/store/snapshots.h"

const PolicyUse verify_policy = { .shown = "ci", .name = "ci" };

struct Verify {
        Front *front; /* borrowed */
        VerifyState state;
        VerifyInput input;
        JailLimits limits;
        uint8_t snapshot[DIGEST_SIZE];
        uint8_t policy[DIGEST_SIZE];
        ShieldJob *shielding; /* owned, one at a time */
        PatchApply *apply;
        BaseRun *base_run;
        ResultsJob *ahead; /* for the first command, until the first run has it */
        SpecRun *run;
        Shield shield;     /* owned */
        uint64_t patch_at; /* byte that the patch begins at, where it is read more than once */
        uint64_t upper;    /* of the apply; owned until the last run has it */
        bool applied;
        uint8_t patch[DIGEST_SIZE];
        uint8_t tree[DIGEST_SIZE];
        Touched touched;
        PatchList list;         /* owned, where test first is asked for */
        RunResult *base_result; /* owned */
        VerdictRuns runs;
        After *after;
        bool host_fault;
};

static const uint8_t next_states[_VERIFY_STATE_MAX] = {
        [VERIFY_SHIELD] = BIT(VERIFY_APPLY) | BIT(VERIFY_DONE),
        [VERIFY_APPLY] = BIT(VERIFY_BASE) | BIT(VERIFY_RUN) | BIT(VERIFY_DONE),
        [VERIFY_BASE] = BIT(VERIFY_RUN) | BIT(VERIFY_DONE),
        [VERIFY_RUN] = BIT(VERIFY_RUN) | BIT(VERIFY_AFTER) | BIT(VERIFY_DONE),
        [VERIFY_AFTER] = BIT(VERIFY_DONE),
};

static void set_state(Verify *verify, VerifyState state) {
        if (next_states[verify->state] & BIT(state))
                verify->state = state;
}

static Verify *verify_free(Verify *verify) {
        if (!verify)
                return NULL;
        results_cancel(verify->ahead);
        gate_upper_drop(verify->front, verify->upper);
        shield_release(verify->front, &verify->shield);
        touched_deinit(&verify->touched);
        patch_list_deinit(&verify->list);
        run_result_free(verify->base_result);
        verdict_runs_deinit(&verify->runs);
        free(verify);
        return NULL;
}
DEFINE_SCOPED(Verify *, verify_free);

static void tell(Verify *verify, const char *phase, cJSON *data) {
        if (verify->input.event)
                verify->input.event(phase, data, verify->input.userdata);
        else
                json_free(data);
}

static void tell_phase(const char *phase, cJSON *data, void *userdata) {
        tell(userdata, phase, data);
}

/* ---- the end ------------------------------------------------------------------------------------- */

static void finish(Verify *verify) {
        SCOPED(verify_free) Verify *owned = verify;
        VerdictFacts facts = { .verdict = &verify->runs.verdict,
                               .touched = verify->applied ? &verify->touched : NULL,
                               .run = verify->runs.result,
                               .task = verify->input.task,
                               .n = verify->input.n,
                               .patch = verify->applied ? verify->patch : NULL,
                               .tree = verify->applied ? verify->tree : NULL,
                               .spec = verify->input.spec->digest,
                               .snapshot = verify->snapshot,
                               .policy = verify->policy };
        SCOPED(json_free) cJSON *json = verdict_json(&facts);
        autofree char *detail = verdict_detail(&facts);
        VerifyEnd end = { &verify->runs.verdict, facts.touched, json, detail, verify->host_fault };

        set_state(verify, VERIFY_DONE);
        verify->input.done(&end, verify->input.userdata);
        (void) owned;
}

/* The host could not do it: whatever the patch is, this says nothing about it */
static void finish_fault(Verify *verify, const char *cause, const Error *err) {
        verify->host_fault = true;
        verdict_say(&verify->runs.verdict, VERDICT_ERROR, cause, "%s", err->text);
        finish(verify);
}

static void start_run(Verify *verify);

/* ---- what is asked for besides ------------------------------------------------------------------- */

static void on_after(const Error *err, void *userdata) {
        Verify *verify = userdata;

        verify->after = NULL;
        if (err)
                finish_fault(verify, "jail", err);
        else
                finish(verify);
}

static void start_after(Verify *verify) {
        const VerifyInput *input = &verify->input;
        AfterSpec spec = { .ground = { .spec = input->spec,
                                       .base = input->base,
                                       .shield = &verify->shield,
                                       .snapshot = input->snapshot,
                                       .policy = input->policy,
                                       .limits = &verify->limits,
                                       .meter = input->meter,
                                       .owner_uid = input->owner_uid,
                                       .patch_fd = input->patch_fd,
                                       .patch_at = verify->patch_at,
                                       .patch = verify->patch,
                                       .event = tell_phase,
                                       .event_data = verify },
                           .list = &verify->list,
                           .base = verify->base_result,
                           .green = verify->runs.result,
                           .touched = &verify->touched,
                           .upper = &verify->upper,
                           .verdict = &verify->runs.verdict,
                           .event = tell_phase,
                           .done = on_after,
                           .userdata = verify };
        Error err = ERROR_EMPTY;
        int r;

        set_state(verify, VERIFY_AFTER);
        r = after_start(verify->front, &spec, &verify->after, &err);
        if (r < 0)
                finish_fault(verify, "jail", &err);
        else if (r > 0)
                finish(verify);
}

static void conclude(Verify *verify) {
        Verdict *verdict = &verify->runs.verdict;

        verdict_runs_merge(&verify->runs, verify->input.spec->need);
        remarks_veto(verify->input.spec, &verify->touched, verdict);
        if (verdict->kind == VERDICT_PASSED &&
            after_is_asked(verify->input.spec, verify->input.base)) {
                start_after(verify);
                return;
        }
        if (verify->input.spec->tdd.asked)
                verdict->tdd = proof_nothing(&verify->list);
        finish(verify);
}

static void judge(Verify *verify) {
        const VerifySpec *spec = verify->input.spec;
        VerdictCase facts = { .spec = spec,
                              .base = verify->base_result,
                              .run = verify->runs.result,
                              .touched = &verify->touched };
        Error err = ERROR_EMPTY;

        if (verdict_judge(&verify->runs.verdict, &facts) < 0) {
                error_set(&err, -ENOMEM, "judge what the tests did");
                finish_fault(verify, "internal", &err);
                return;
        }
        verdict_runs_count(&verify->runs);
        if (verdict_runs_decided(&verify->runs, spec->need, spec->of)) {
                conclude(verify);
        } else if (verdict_runs_next(&verify->runs) < 0) {
                error_set(&err, -ENOMEM, "run the tests again");
                finish_fault(verify, "internal", &err);
        } else {
                start_run(verify);
        }
}

/* ---- run ----------------------------------------------------------------------------------------- */

static void on_command(const char *id, const RunCommand *run, void *userdata) {
        Verify *verify = userdata;

        tell(verify, run ? "results" : "command",
             verify_event_command(id, run, verify->input.task != NULL));
}

static void on_run(const SpecRunEnd *end, void *userdata) {
        Verify *verify = userdata;

        verify->run = NULL;
        if (end->err) {
                finish_fault(verify, "jail", end->err);
                return;
        }
        verify->runs.result = end->result;
        judge(verify);
}

static GateRoot root_of(const Verify *verify, const GateLayers *layers) {
        return (GateRoot){ .snapshot = verify->input.snapshot,
                           .policy = verify->input.policy,
                           .limits = &verify->limits,
                           .layers = layers,
                           .meter = verify->input.meter,
                           .owner_uid = verify->input.owner_uid };
}

static void start_run(Verify *verify) {
        GateLayers layers = shield_layers(&verify->shield, verify->input.base, true);
        SpecRunSpec spec = { .root = root_of(verify, &layers),
                             .upper_stays =
                                     verify->input.spec->of > 1 || verify->input.base->has_held,
                             .commands = verify->input.spec->commands,
                             .n = verify->input.spec->n_commands,
                             .event = on_command,
                             .done = on_run,
                             .userdata = verify };
        Error err = ERROR_EMPTY;

        set_state(verify, VERIFY_RUN);
        spec.root.upper = verify->upper;
        spec.ahead = TAKE_PTR(verify->ahead);
        if (spec_run_start(verify->front, &spec, &verify->run, &err) < 0)
                finish_fault(verify, "jail", &err);
        else if (!spec.upper_stays)
                verify->upper = 0; /* the run's now */
}

/* ---- base ---------------------------------------------------------------------------------------- */

static void on_base_command(const char *id, const RunCommand *run, void *userdata) {
        (void) id;
        if (run)
                tell(userdata, "base_results", run_command_json(run));
}

static void on_base(RunResult *result, const Error *err, void *userdata) {
        Verify *verify = userdata;

        verify->base_run = NULL;
        if (err) {
                finish_fault(verify, "jail", err);
                return;
        }
        verify->base_result = result;
        start_run(verify);
}

static void start_base(Verify *verify) {
        GateLayers layers = work_base_layers(verify->input.base, true);
        BaseRunSpec spec = { .root = root_of(verify, &layers),
                             .spec = verify->input.spec,
                             .snapshot = verify->snapshot,
                             .policy = verify->policy,
                             .event = on_base_command,
                             .done = on_base,
                             .userdata = verify };
        Error err = ERROR_EMPTY;
        int r;

        if (!verify_spec_names_tests(verify->input.spec)) {
                start_run(verify);
                return;
        }
        set_state(verify, VERIFY_BASE);
        r = base_run_get(verify->front, &spec, &verify->base_result, &verify->base_run, &err);
        if (r < 0)
                finish_fault(verify, "jail", &err);
        else if (r > 0)
                start_run(verify);
        else
                tell(verify, "base", NULL);
}

/* ---- apply --------------------------------------------------------------------------------------- */

static void on_applied(const PatchApplyEnd *end, void *userdata) {
        Verify *verify = userdata;
        Error err = ERROR_EMPTY;

        verify->apply = NULL;
        verify->upper = end->upper;
        if (end->refused) {
                verdict_say(&verify->runs.verdict, end->attacks ? VERDICT_TAMPERED : VERDICT_ERROR,
                            "patch_refused", "%s", end->err->text);
                verify->runs.verdict.is_input = true;
                finish(verify);
                return;
        }
        if (end->err) {
                finish_fault(verify, "jail", end->err);
                return;
        }
        if (verify->input.patch && memcmp(end->patch, verify->input.patch, DIGEST_SIZE) != 0) {
                error_say(&err, -EPROTO, "another patch was applied than the one to be judged");
                finish_fault(verify, "internal", &err);
                return;
        }
        if (touched_copy(&verify->touched, end->touched) < 0) {
                error_set(&err, -ENOMEM, "take in what the patch touches");
                finish_fault(verify, "internal", &err);
                return;
        }
        verify->applied = true;
        memcpy(verify->patch, end->patch, DIGEST_SIZE);
        memcpy(verify->tree, end->tree, DIGEST_SIZE);
        verify->list = *end->list;
        *end->list = (PatchList){ 0 };
        start_base(verify);
}

/* The shells and the processor that the patch needed it has: now for who reads the first command's results */
static void on_apply_started(void *userdata) {
        Verify *verify = userdata;
        const ResultsSpec results = { .row = &verify->input.spec->commands[0],
                                      .owner_uid = verify->input.owner_uid };

        verify->ahead = results_ahead(verify->front, &results);
}

static int start_apply(Verify *verify, Error *err) {
        const WorkBase *base = verify->input.base;
        GateLayers layers = work_base_layers(base, false), setup = { .n = 0 };
        PatchApplySpec spec = { .layers = &layers,
                                .shield = &verify->shield,
                                .setup = base->has_setup ? &setup : NULL,
                                .spec = verify->input.spec,
                                .patch_fd = verify->input.patch_fd,
                                .patch_at = verify->patch_at,
                                .remark = true,
                                .list = verify->input.spec->tdd.asked ? VERIFY_HUNKS_MAX : 0,
                                .owner_uid = verify->input.owner_uid,
                                .started = on_apply_started,
                                .done = on_applied,
                                .userdata = verify };

        if (base->has_setup)
                gate_layers_add(&setup, base->setup);
        set_state(verify, VERIFY_APPLY);
        tell(verify, "apply", NULL);
        return patch_apply_start(verify->front, &spec, &verify->apply, err);
}

/* ---- shield -------------------------------------------------------------------------------------- */

static void on_shield(const Shield *shield, void *userdata) {
        Verify *verify = userdata;
        Error err = ERROR_EMPTY;

        verify->shielding = NULL;
        verify->shield = *shield;
        if (start_apply(verify, &err) < 0)
                finish_fault(verify, "jail", &err);
}

static int start_shield(Verify *verify, Error *err) {
        const ShieldSpec spec = { .base = verify->input.base,
                                  .spec = verify->input.spec,
                                  .owner_uid = verify->input.owner_uid,
                                  .done = on_shield,
                                  .userdata = verify };

        return shield_get(verify->front, &spec, &verify->shield, &verify->shielding) > 0
                       ? start_apply(verify, err)
                       : 0;
}

/* Digests of what the verdict names, and the limits */
static int resolve(Verify *verify, Error *err) {
        PolicyHold policy;
        SnapshotInfo info;
        int r;

        r = policies_hold(verify->front->policies, verify->input.policy, &policy, err);
        if (r < 0)
                return r;
        memcpy(verify->policy, policy.digest, DIGEST_SIZE);
        verify->limits =
                verify->input.limits ? *verify->input.limits : *policy_limits(policy.policy);
        verify->input.limits = NULL;
        r = snapshots_find(verify->front, verify->input.snapshot, verify->input.owner_uid, &info,
                           err);
        if (r < 0)
                return r;
        snapshots_digest(&info, verify->snapshot);
        return 0;
}

int verify_start(Front *front, const VerifyInput *input, Verify **ret, Error *err) {
        SCOPED(verify_free) Verify *verify = calloc(1, sizeof(*verify));
        int r;

        if (!verify)
                return error_set(err, -ENOMEM, "verify a patch");
        verify->front = front;
        verify->input = *input;
        verify->shield = SHIELD_NONE;
        if (verdict_runs_init(&verify->runs) < 0)
                return error_set(err, -ENOMEM, "verify a patch");
        r = trial_find_patch(input->spec, input->patch_fd, &verify->patch_at, err);
        if (r == 0)
                r = resolve(verify, err);
        if (r == 0)
                r = start_shield(verify, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(verify);
        return 0;
}

Verify *verify_cancel(Verify *verify) {
        if (!verify)
                return NULL;
        verify->shielding = shield_cancel(verify->shielding);
        verify->apply = patch_apply_cancel(verify->apply);
        verify->base_run = base_run_cancel(verify->base_run);
        verify->run = spec_run_cancel(verify->run);
        verify->after = after_cancel(verify->after);
        return verify_free(verify);
}

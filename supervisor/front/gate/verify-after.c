/* verify-after: see verify-after.h. */
#include "supervisor/front/gate/verify-after.h"

#include <stdio.h>
#include <string.h>

typedef enum AfterState {
        AFTER_PROOF, /* a Proof is under way */
        AFTER_HELD,  /* a Held is */
        _AFTER_STATE_MAX,
} AfterState;

struct After {
        Front *front; /* borrowed */
        AfterSpec spec;
        AfterState state;
        Proof *proof; /* owned, one at a time */
        Held *held;
};

static const uint8_t next_states[_AFTER_STATE_MAX] = { [AFTER_PROOF] = BIT(AFTER_HELD) };

static void set_state(After *after, AfterState state) {
        if (next_states[after->state] & BIT(state))
                after->state = state;
}

bool after_is_asked(const VerifySpec *spec, const WorkBase *base) {
        return spec->tdd.asked || base->has_held;
}

static void tell(const char *phase, cJSON *data, void *userdata) {
        After *after = userdata;

        if (after->spec.event)
                after->spec.event(phase, data, after->spec.userdata);
        else
                json_free(data);
}

static void finish(After *after, const Error *err) {
        autofree After *owned = after;

        after->spec.done(err, after->spec.userdata);
        (void) owned;
}

/* ---- held-back tests ----------------------------------------------------------------------------- */

static void on_held(const Error *err, void *userdata) {
        After *after = userdata;

        after->held = NULL;
        finish(after, err);
}

/* Returns: 1 where there are none, 0, negative errno */
static int start_held(After *after, Error *err) {
        HeldSpec spec = { .ground = &after->spec.ground,
                          .base = after->spec.base,
                          .green = after->spec.green,
                          .touched = after->spec.touched,
                          .upper = *after->spec.upper,
                          .verdict = after->spec.verdict,
                          .done = on_held,
                          .userdata = after };
        int r;

        if (!after->spec.ground.base->has_held)
                return 1;
        set_state(after, AFTER_HELD);
        tell("held", NULL, after);
        r = held_start(after->front, &spec, &after->held, err);
        if (r == 0)
                *after->spec.upper = 0; /* the run's now */
        return r;
}

/* ---- test first ---------------------------------------------------------------------------------- */

static void take_proof(After *after, const ProofEnd *end) {
        Verdict *verdict = after->spec.verdict;
        int red = cJSON_GetArraySize(json_get(end->tdd, "red"));
        int unproven = cJSON_GetArraySize(json_get(end->tdd, "unproven"));
        size_t n = strlen(verdict->reason);

        verdict->tdd = cJSON_Duplicate(end->tdd, true);
        if (end->cause)
                verdict_say(verdict, VERDICT_FAILED, end->cause, "%s", end->reason);
        else
                (void) snprintf(verdict->reason + n, sizeof(verdict->reason) - n,
                                "; %d test(s) fail on the base and pass now, %d hunk(s) are "
                                "needed by no test",
                                red, unproven);
}

static void on_proof(const ProofEnd *end, void *userdata) {
        After *after = userdata;
        Error err = ERROR_EMPTY;
        int r = 1;

        after->proof = NULL;
        if (end->err) {
                finish(after, end->err);
                return;
        }
        take_proof(after, end);
        if (after->spec.verdict->kind == VERDICT_PASSED)
                r = start_held(after, &err);
        if (r != 0)
                finish(after, r < 0 ? &err : NULL);
}

/* Returns: 1 where there is nothing to prove, or nothing that could prove it; 0, negative errno */
static int start_proof(After *after, Error *err) {
        const PatchList *list = after->spec.list;
        Verdict *verdict = after->spec.verdict;
        ProofSpec spec = { .ground = &after->spec.ground,
                           .list = list,
                           .base = after->spec.base,
                           .green = after->spec.green,
                           .event = tell,
                           .done = on_proof,
                           .userdata = after };

        if (!after->spec.ground.spec->tdd.asked)
                return 1;
        if (cJSON_GetArraySize(list->new_tests) + cJSON_GetArraySize(list->changed_tests) > 0) {
                return proof_start(after->front, &spec, &after->proof, err);
        }
        verdict->tdd = proof_nothing(list);
        verdict_say(verdict, VERDICT_FAILED, "no_new_tests",
                    "the patch adds and changes no test: with test first, add one that fails "
                    "without the change (files that \"protect\" of the verify spec names)");
        return verdict->tdd ? 1 : error_set(err, -ENOMEM, "prove the patch");
}

/* ---- the beginning ------------------------------------------------------------------------------- */

int after_start(Front *front, const AfterSpec *spec, After **ret, Error *err) {
        autofree After *after = calloc(1, sizeof(*after));
        int r;

        if (!after)
                return error_set(err, -ENOMEM, "prove the patch");
        *after = (After){ .front = front, .spec = *spec };
        r = start_proof(after, err);
        if (r > 0 && spec->verdict->kind == VERDICT_PASSED)
                r = start_held(after, err);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(after);
        return 0;
}

After *after_cancel(After *after) {
        if (!after)
                return NULL;
        after->proof = proof_cancel(after->proof);
        after->held = held_cancel(after->held);
        free(after);
        return NULL;
}

/*
 * hunk-trials: see hunk-trials.h.
 *
 * Without a hunk the rest may not fit the base (a file goes where another was): such a hunk is needed.
 *
 * Trials run side by side up to `jobs`, where the user's quota and the host have room for one more jail: the
 * first of them always runs. One that the quota refuses after all waits until another has ended.
 */
#include "supervisor/front/gate/hunk-trials.h"

#include "supervisor/front/gate/red.h"
#include "supervisor/front/policy/turns.h"

typedef enum HunkFate {
        FATE_WAITS = 0,
        FATE_RUNS,
        FATE_PROVEN,
        FATE_NEEDED,
        FATE_UNPROVEN,
        _FATE_MAX,
} HunkFate;

typedef struct HunkSlot {
        HunkTrials *trials; /* borrowed: its owner */
        Trial *trial;       /* owned; NULL: free */
        unsigned number;    /* of the hunk, from 1 */
} HunkSlot;

struct HunkTrials {
        Front *front; /* borrowed */
        HunkTrialsSpec spec;
        HunkSlot slots[VERIFY_JOBS_MAX];
        unsigned jobs;                  /* so many may run at once */
        unsigned running;               /* of slots[] */
        unsigned tried;                 /* hunks that are tried at all */
        uint8_t fate[VERIFY_HUNKS_MAX]; /* HunkFate, by number - 1 */
};

HunkTrials *hunk_trials_cancel(HunkTrials *trials) {
        for (unsigned i = 0; trials && i < VERIFY_JOBS_MAX; i++)
                trials->slots[i].trial = trial_cancel(trials->slots[i].trial);
        free(trials);
        return NULL;
}
DEFINE_SCOPED(HunkTrials *, hunk_trials_cancel);

/* ---- the end ------------------------------------------------------------------------------------- */

static void fail(HunkTrials *trials, const Error *err) {
        SCOPED(hunk_trials_cancel) HunkTrials *owned = trials;
        HunkTrialsEnd end = { .err = err };

        trials->spec.done(&end, trials->spec.userdata);
        (void) owned;
}

static void finish(HunkTrials *trials) {
        SCOPED(hunk_trials_cancel) HunkTrials *owned = trials;
        SCOPED(json_free) cJSON *unproven = cJSON_CreateArray();
        HunkCounts counts = { .all = trials->spec.list->n_hunks };
        HunkTrialsEnd end = { .counts = &counts, .unproven = unproven };
        const cJSON *hunk;
        unsigned i = 0;

        cJSON_ArrayForEach(hunk, trials->spec.list->hunks) {
                HunkFate fate = i < trials->tried ? trials->fate[i] : FATE_WAITS;

                i++;
                counts.proven += fate == FATE_PROVEN;
                counts.needed += fate == FATE_NEEDED;
                counts.unproven += fate == FATE_UNPROVEN;
                if (fate == FATE_UNPROVEN)
                        json_push_consume(unproven, cJSON_Duplicate(hunk, true));
        }
        trials->spec.done(&end, trials->spec.userdata);
        (void) owned;
}

/* ---- one hunk ------------------------------------------------------------------------------------ */

/* Did it end before any test could say something: a build that fails, a file that does not load */
static bool is_silent(const RunResult *green, const RunResult *result) {
        if (result->n < green->n)
                return true;
        for (unsigned i = 0; i < result->n; i++)
                if (result->commands[i].parse != PARSE_EXIT &&
                    result->commands[i].passed + result->commands[i].failed == 0)
                        return true;
        return false;
}

static int judge_hunk(const HunkTrials *trials, const TrialEnd *end, HunkFate *ret) {
        int r = end->refused ? 1 : red_notices(trials->spec.green, end->result);

        if (r < 0)
                return r;
        if (r == 0)
                *ret = FATE_UNPROVEN;
        else
                *ret = end->refused || is_silent(trials->spec.green, end->result) ? FATE_NEEDED
                                                                                  : FATE_PROVEN;
        return 0;
}

static void fill(HunkTrials *trials);

static void tell_hunk(HunkTrials *trials, unsigned number, HunkFate fate) {
        static const char *const names[_FATE_MAX] = {
                [FATE_PROVEN] = "proven", [FATE_NEEDED] = "needed", [FATE_UNPROVEN] = "unproven"
        };
        const cJSON *hunk = cJSON_GetArrayItem(trials->spec.list->hunks, (int) number - 1);
        cJSON *data = cJSON_Duplicate(hunk, true);

        json_add_number(data, "n", number);
        json_add_number(data, "of", trials->tried);
        json_add_text(data, "fate", names[fate]);
        trials->spec.event(data, trials->spec.userdata);
}

static void on_hunk(const TrialEnd *end, void *userdata) {
        HunkSlot *slot = userdata;
        HunkTrials *trials = slot->trials;
        HunkFate fate = FATE_WAITS;
        Error err = ERROR_EMPTY;
        int r = 0;

        slot->trial = NULL;
        trials->running--;
        if (!end->err)
                r = judge_hunk(trials, end, &fate);
        run_result_free(end->result);
        trials->fate[slot->number - 1] = (uint8_t) fate;
        if (end->err && (end->err->code != -EDQUOT || trials->running == 0)) {
                fail(trials, end->err);
                return;
        }
        if (r < 0) {
                error_set(&err, r, "judge a hunk");
                fail(trials, &err);
                return;
        }
        if (end->err) /* no room for it now: fewer at once */
                trials->jobs = trials->running;
        else
                tell_hunk(trials, slot->number, fate);
        fill(trials);
}

/* By number; 0: all are done or under way */
static unsigned next_hunk(const HunkTrials *trials) {
        for (unsigned i = 0; i < trials->tried; i++)
                if (trials->fate[i] == FATE_WAITS)
                        return i + 1;
        return 0;
}

static int start_hunk(HunkTrials *trials, unsigned number, Error *err) {
        HunkSlot *slot = trials->slots;
        TrialSpec spec = { .ground = trials->spec.ground,
                           .phase = "hunk_results",
                           .part = PATCH_PART_WITHOUT,
                           .without = number,
                           .done = on_hunk };
        int r;

        while (slot->trial) /* fewer run than there are */
                slot++;
        spec.userdata = slot;
        *slot = (HunkSlot){ .trials = trials, .number = number };
        r = trial_start(trials->front, &spec, &slot->trial, err);
        if (r < 0)
                return r;
        trials->fate[number - 1] = FATE_RUNS;
        trials->running++;
        return 0;
}

static bool has_room(const HunkTrials *trials) {
        return trials->running < trials->jobs &&
               (trials->running == 0 || turn_has_room(trials->front, trials->spec.ground->owner_uid,
                                                      &trials->spec.ground->limits->plan));
}

static void fill(HunkTrials *trials) {
        Error err = ERROR_EMPTY;
        unsigned number;

        while (has_room(trials) && (number = next_hunk(trials)) != 0) {
                int r = start_hunk(trials, number, &err);

                if (r == -EDQUOT && trials->running > 0)
                        break;
                if (r < 0) {
                        fail(trials, &err);
                        return;
                }
        }
        if (trials->running == 0)
                finish(trials);
}

int hunk_trials_start(Front *front, const HunkTrialsSpec *spec, HunkTrials **ret, Error *err) {
        HunkTrials *trials = calloc(1, sizeof(*trials));
        unsigned n = (unsigned) cJSON_GetArraySize(spec->list->hunks);
        const VerifyTdd *tdd = &spec->ground->spec->tdd;

        if (!trials)
                return error_set(err, -ENOMEM, "take the hunks of the patch away");
        *trials = (HunkTrials){ .front = front,
                                .spec = *spec,
                                .tried = n < tdd->hunks ? n : tdd->hunks,
                                .jobs = tdd->jobs ? tdd->jobs : front->info.cpus };
        if (trials->jobs == 0)
                trials->jobs = 1;
        if (trials->jobs > VERIFY_JOBS_MAX)
                trials->jobs = VERIFY_JOBS_MAX;
        *ret = trials;
        fill(trials);
        return 0;
}

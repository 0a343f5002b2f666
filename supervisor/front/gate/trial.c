/* trial: see trial.h. One at a time is under way: the files job that applies, then the run. */
#include "supervisor/front/gate/trial.h"

#include <string.h>
#include <unistd.h>

struct Trial {
        Front *front; /* borrowed */
        TrialSpec spec;
        PatchApply *apply; /* owned, like the next */
        SpecRun *run;
};

static void finish(Trial *trial, const TrialEnd *end) {
        autofree Trial *owned = trial;

        trial->spec.done(end, trial->spec.userdata);
        (void) owned;
}

static void fail(Trial *trial, const Error *err) {
        TrialEnd end = { .err = err };

        finish(trial, &end);
}

static void on_run(const SpecRunEnd *end, void *userdata) {
        TrialEnd told = { .err = end->err, .result = end->result };

        finish(userdata, &told);
}

void trial_tell(const TrialGround *ground, const char *phase, const RunCommand *run) {
        if (run)
                ground->event(phase, run_command_json(run), ground->event_data);
}

static void on_command(const char *id, const RunCommand *run, void *userdata) {
        const Trial *trial = userdata;

        (void) id;
        trial_tell(trial->spec.ground, trial->spec.phase, run);
}

static int start_run(Trial *trial, uint64_t upper, Error *err) {
        const TrialGround *ground = trial->spec.ground;
        GateLayers layers = shield_layers(ground->shield, ground->base, true);
        SpecRunSpec spec = { .root = { .snapshot = ground->snapshot,
                                       .policy = ground->policy,
                                       .limits = ground->limits,
                                       .meter = ground->meter,
                                       .layers = &layers,
                                       .upper = upper,
                                       .owner_uid = ground->owner_uid },
                             .commands = ground->spec->commands,
                             .n = ground->spec->n_commands,
                             .event = on_command,
                             .done = on_run,
                             .userdata = trial };

        return spec_run_start(trial->front, &spec, &trial->run, err);
}

static void on_applied(const PatchApplyEnd *end, void *userdata) {
        Trial *trial = userdata;
        Error err = ERROR_EMPTY;
        int r = 0;

        trial->apply = NULL;
        if (end->refused) {
                finish(trial, &(TrialEnd){ .refused = true });
                return;
        }
        if (end->err)
                err = *end->err;
        else if (memcmp(end->patch, trial->spec.ground->patch, DIGEST_SIZE) != 0)
                error_say(&err, -EPROTO, "the patch was changed while it was judged");
        if (err.code == 0)
                r = start_run(trial, end->upper, &err);
        if (err.code == 0 && r == 0)
                return;
        gate_upper_drop(trial->front, end->upper);
        fail(trial, &err);
}

int trial_find_patch(const VerifySpec *spec, int patch_fd, uint64_t *ret_at, Error *err) {
        off_t at = spec->tdd.asked ? lseek(patch_fd, 0, SEEK_CUR) : 0;

        if (at < 0)
                return error_say(err, -EINVAL,
                                 "test first reads the patch more than once: pass a file, no pipe");
        *ret_at = spec->tdd.asked ? (uint64_t) at : PATCH_AT_HERE;
        return 0;
}

int trial_start(Front *front, const TrialSpec *spec, Trial **ret, Error *err) {
        const TrialGround *ground = spec->ground;
        GateLayers layers = work_base_layers(ground->base, false), setup = { .n = 0 };
        PatchApplySpec apply = { .layers = &layers,
                                 .shield = ground->shield,
                                 .setup = ground->base->has_setup ? &setup : NULL,
                                 .spec = ground->spec,
                                 .patch_fd = ground->patch_fd,
                                 .patch_at = ground->patch_at,
                                 .part = spec->part,
                                 .without = spec->without,
                                 .owner_uid = ground->owner_uid,
                                 .done = on_applied };
        autofree Trial *trial = calloc(1, sizeof(*trial));
        int r;

        if (!trial)
                return error_set(err, -ENOMEM, "try a part of the patch");
        *trial = (Trial){ .front = front, .spec = *spec };
        apply.userdata = trial;
        if (ground->base->has_setup)
                gate_layers_add(&setup, ground->base->setup);
        r = patch_apply_start(front, &apply, &trial->apply, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(trial);
        return 0;
}

Trial *trial_cancel(Trial *trial) {
        if (!trial)
                return NULL;
        trial->apply = patch_apply_cancel(trial->apply);
        trial->run = spec_run_cancel(trial->run);
        free(trial);
        return NULL;
}

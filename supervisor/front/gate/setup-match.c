/* setup-match: see setup-match.h. */
#include "supervisor/front/gate/setup-match.h"

#include <string.h>

#define KEYS_MAX 64u /* as many as one option of warder-files may be given */

struct SetupMatch {
        FilesJob *job; /* owned */
        uint8_t digest[DIGEST_SIZE];
        bool has_digest;
        bool hides;
        SetupMatchFn done;
        void *userdata;
};

static unsigned read_keys(const VerifySpec *spec, const char **keys) {
        unsigned n = 0;

        for (unsigned i = 0; i < spec->n_setup; i++) {
                const cJSON *key;

                cJSON_ArrayForEach(key, json_get(spec->setup[i].json, "key")) {
                        if (n < KEYS_MAX && cJSON_IsString(key))
                                keys[n++] = key->valuestring;
                }
        }
        return n;
}

bool setup_match_is_keyed(const VerifySpec *spec) {
        unsigned n = 0;

        for (unsigned i = 0; i < spec->n_setup; i++) {
                int one = cJSON_GetArraySize(json_get(spec->setup[i].json, "key"));

                if (one == 0)
                        return false;
                n += (unsigned) one;
        }
        return n > 0 && n <= KEYS_MAX;
}

static void on_record(const Record *record, void *userdata) {
        SetupMatch *match = userdata;

        if (record->head.kind == RECORD_PATH)
                match->hides = true;
        if (record->head.kind != RECORD_DIGEST || record->head.size != DIGEST_SIZE)
                return;
        memcpy(match->digest, record->data, DIGEST_SIZE);
        match->has_digest = true;
}

static void on_done(const FilesJobEnd *end, void *userdata) {
        autofree SetupMatch *match = userdata;

        match->done(match->has_digest ? match->digest : NULL, match->hides, end->err,
                    match->userdata);
}

static int fill_plan(Front *front, Plan *plan, const SetupMatchSpec *spec, Error *err) {
        GateView old = { .target = VIEW_OLD, .layers = spec->base };
        GateLayers layer = { .n = 0 };
        GateView new = { .target = VIEW_NEW, .layers = &layer };
        int r = gate_files_plan(front, plan, err);

        if (r == 0)
                r = gate_view(plan, &old, err);
        if (r < 0 || !spec->layer)
                return r;
        gate_layers_add(&layer, spec->layer);
        return gate_view(plan, &new, err);
}

static void fill_argv(const SetupMatchSpec *spec, const char **argv) {
        const char *keys[KEYS_MAX];
        unsigned n = 0, n_keys = spec->layer ? 0 : read_keys(spec->spec, keys);

        argv[n++] = "key";
        if (spec->layer)
                argv[n++] = "--setup";
        for (unsigned i = 0; i < n_keys; i++) {
                argv[n++] = "--key";
                argv[n++] = keys[i];
        }
        argv[n++] = "work";
        argv[n] = NULL;
}

int setup_match_start(Front *front, const SetupMatchSpec *spec, SetupMatch **ret, Error *err) {
        autofree SetupMatch *match = calloc(1, sizeof(*match));
        const char *argv[2 * KEYS_MAX + 4];
        FilesJobSpec job = {
                .argv = argv, .input_fd = -EBADF, .output_fd = -EBADF, .owner_uid = spec->owner_uid
        };
        int r;

        if (!match)
                return error_set(err, -ENOMEM, "look for the setup layer");
        match->done = spec->done;
        match->userdata = spec->userdata;
        fill_argv(spec, argv);
        r = fill_plan(front, &job.plan, spec, err);
        if (r == 0)
                r = files_job_start(front, &job, on_record, on_done, match, &match->job, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(match);
        return 0;
}

SetupMatch *setup_match_cancel(SetupMatch *match) {
        if (!match)
                return NULL;
        files_job_cancel(match->job);
        free(match);
        return NULL;
}

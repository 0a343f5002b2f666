/*
 * setup-layer: see setup-layer.h. The jail's upper is saved when the jail is gone, so that nothing writes
 * to it while it is read.
 *
 *   whole base known ─────────────────────────────────────────────────────────────► there
 *   else, with a key: its digest ─► known ─► held against the base: hides nothing ─► there
 *                                 └► not   └► hides: the whole base is its key
 *   run ─► save ─► (with a key: held against the base) ─► kept by the key that serves
 */
#include "supervisor/front/gate/setup-layer.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "supervisor/front/gate/setup-cache.h"
#include "supervisor/front/gate/setup-match.h"
#include "supervisor/front/store/snapshots.h"

struct SetupLayer {
        Front *front; /* borrowed, like holds */
        Holds *holds;
        GateRoot root;
        GateLayers base; /* that root.layers points to */
        const VerifySpec *spec;
        uint8_t snapshot[DIGEST_SIZE], policy[DIGEST_SIZE];
        SetupMatch *match;        /* owned, one at a time: while a base is read */
        SpecRun *run;             /* owned: while the commands run */
        HoldImport *import;       /* owned: while the upper is saved */
        uint64_t upper;           /* kept; dropped by us */
        uint8_t key[DIGEST_SIZE]; /* of the whole base, or with is_keyed of the key's files */
        bool is_keyed;
        uint8_t layer[DIGEST_SIZE]; /* found, or made: held against the base */
        uint64_t bytes;             /* of one that was made */
        uint32_t owner_uid;
        uint64_t max_disk; /* that the jail's own limits allow */
        SpecRunEventFn event;
        SetupLayerFn done;
        void *userdata;
};

static SetupLayer *setup_layer_free(SetupLayer *setup) {
        if (!setup)
                return NULL;
        gate_upper_drop(setup->front, setup->upper);
        free(setup);
        return NULL;
}
DEFINE_SCOPED(SetupLayer *, setup_layer_free);

/* @files: digest of the key's files; NULL: of the whole base */
static int make_key(const SetupLayer *setup, const uint8_t *files, uint8_t *ret_key, Error *err) {
        cJSON *json = json_get(setup->spec->json, "setup");
        uint8_t commands[DIGEST_SIZE], root[DIGEST_SIZE];
        GateRoot plain = setup->root;
        GateLayers none = { .n = 0 };
        Digest *digest = NULL;
        int r;

        plain.limits = NULL; /* what setup made when it went well is the same under any */
        if (files)
                plain.layers = &none;
        r = gate_root_digest(setup->front, &plain, root, err);
        if (r < 0)
                return r;
        if (canonical_digest(json, commands) < 0 || digest_new(&digest) < 0)
                return error_set(err, -ENOMEM, "look for the setup layer");
        digest_add(digest, commands, sizeof(commands));
        digest_add(digest, root, sizeof(root));
        digest_add(digest, setup->snapshot, DIGEST_SIZE);
        digest_add(digest, setup->policy, DIGEST_SIZE);
        if (files)
                digest_add(digest, files, DIGEST_SIZE);
        digest_end(digest, ret_key);
        digest_free(digest);
        return 0;
}

/* ---- making it ----------------------------------------------------------------------------------- */

static void fail(SetupLayer *setup, const Error *err, const char *detail) {
        SCOPED(setup_layer_free) SetupLayer *owned = setup;

        setup->done(NULL, err, detail, setup->userdata);
        (void) owned;
}

static void keep(const SetupLayer *setup) {
        KeptSetup kept = { .owner = setup->owner_uid, .bytes = setup->bytes };

        memcpy(kept.key, setup->key, DIGEST_SIZE);
        memcpy(kept.layer, setup->layer, DIGEST_SIZE);
        setup_cache_keep(setup->front, setup->holds, &kept);
}

/* The layer is held for the receiver */
static void succeed(SetupLayer *setup) {
        SCOPED(setup_layer_free) SetupLayer *owned = setup;

        setup->done(setup->layer, NULL, NULL, setup->userdata);
        (void) owned;
}

static int hold_against_base(SetupLayer *setup, SetupMatchFn done, Error *err) {
        const SetupMatchSpec spec = { .spec = setup->spec,
                                      .base = &setup->base,
                                      .layer = setup->layer,
                                      .owner_uid = setup->owner_uid,
                                      .done = done,
                                      .userdata = setup };

        return setup_match_start(setup->front, &spec, &setup->match, err);
}

/* What cannot be said of it makes it serve its own base alone */
static void on_made_looked_at(const uint8_t *digest, bool hides, const Error *err, void *userdata) {
        SetupLayer *setup = userdata;

        (void) digest;
        setup->match = NULL;
        if (!(err || hides) || make_key(setup, NULL, setup->key, NULL) == 0)
                keep(setup);
        succeed(setup);
}

static void on_saved(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        SetupLayer *setup = userdata;

        (void) refused;
        setup->import = NULL;
        if (err) {
                SCOPED(setup_layer_free) SetupLayer *owned = setup;

                setup->done(NULL, err, NULL, setup->userdata);
                (void) owned;
                return;
        }
        memcpy(setup->layer, import->digest, DIGEST_SIZE);
        setup->bytes = layer_disk_bytes(import->bytes, import->entries);
        if (setup->is_keyed && hold_against_base(setup, on_made_looked_at, NULL) == 0)
                return;
        if (!setup->is_keyed || make_key(setup, NULL, setup->key, NULL) == 0)
                keep(setup);
        succeed(setup);
}

static int save(SetupLayer *setup, Error *err) {
        LayerImportSpec spec = { .input_fd = -EBADF,
                                 .upper_handle = setup->upper,
                                 .max_bytes = GATE_IMPORT_BYTES,
                                 .max_entries = GATE_IMPORT_ENTRIES,
                                 .owner_uid = setup->owner_uid };
        int r = snapshots_left(setup->front, setup->owner_uid, &spec.max_disk, err);

        if (r < 0)
                return r;
        if (spec.max_disk > setup->max_disk)
                spec.max_disk = setup->max_disk;
        return hold_import(setup->holds, &spec, on_saved, setup, &setup->import, err);
}

/* The command that failed, in a sentence. Returns: it, or NULL where all are good */
static const RunCommand *say_failure(const RunResult *result, Error *err) {
        const RunCommand *last = &result->commands[result->n - 1];

        if (run_command_is_good(last))
                return NULL;
        if (last->cause == CAUSE_EXITED)
                error_say(err, -ECANCELED, "the setup command \"%s\" exited with %d", last->id,
                          last->code);
        else
                error_say(err, -ECANCELED, "the setup command \"%s\" ended early: %s", last->id,
                          cause_name(last->cause));
        return last;
}

static void on_run(const SpecRunEnd *end, void *userdata) {
        SCOPED(run_result_free) RunResult *result = end->result;
        SetupLayer *setup = userdata;
        const RunCommand *bad = NULL;
        Error err = ERROR_EMPTY;

        setup->run = NULL;
        setup->upper = end->upper;
        if (end->err)
                err = *end->err;
        else
                bad = say_failure(result, &err);
        if (err.code < 0 || save(setup, &err) < 0)
                fail(setup, &err, bad ? bad->output : NULL);
}

static void on_command(const char *id, const RunCommand *command, void *userdata) {
        const SetupLayer *setup = userdata;

        if (setup->event)
                setup->event(id, command, setup->userdata);
}

static int run(SetupLayer *setup, Error *err) {
        SpecRunSpec inner = { .root = setup->root,
                              .commands = setup->spec->setup,
                              .n = setup->spec->n_setup,
                              .event = on_command,
                              .done = on_run,
                              .userdata = setup };

        inner.root.keep_upper = true;
        return spec_run_start(setup->front, &inner, &setup->run, err);
}

static void run_or_fail(SetupLayer *setup) {
        Error err = ERROR_EMPTY;

        if (run(setup, &err) < 0)
                fail(setup, &err, NULL);
}

/* ---- one that is there --------------------------------------------------------------------------- */

/* Returns: 1 and the layer is held for the caller, 0: there is none, negative errno */
static int take_known(SetupLayer *setup, Error *err) {
        KeptSetup kept = { .owner = setup->owner_uid };
        int r;

        memcpy(kept.key, setup->key, DIGEST_SIZE);
        if (!setup_cache_find(setup->front, &kept))
                return 0;
        memcpy(setup->layer, kept.layer, DIGEST_SIZE);
        r = hold_take(setup->holds, setup->layer, setup->owner_uid, err);
        return r < 0 ? r : 1;
}

static void on_known_looked_at(const uint8_t *digest, bool hides, const Error *err,
                               void *userdata) {
        SetupLayer *setup = userdata;
        Error own = ERROR_EMPTY;

        (void) digest;
        setup->match = NULL;
        if (!err && !hides) {
                succeed(setup);
                return;
        }
        hold_drop(setup->holds, setup->layer, setup->owner_uid);
        setup->is_keyed = false;
        if (err)
                fail(setup, err, NULL);
        else if (make_key(setup, NULL, setup->key, &own) < 0)
                fail(setup, &own, NULL);
        else
                run_or_fail(setup);
}

static void on_key(const uint8_t *digest, bool hides, const Error *err, void *userdata) {
        SetupLayer *setup = userdata;
        Error own = ERROR_EMPTY;
        int r = 0;

        (void) hides;
        setup->match = NULL;
        if (err) {
                fail(setup, err, NULL);
                return;
        }
        setup->is_keyed = digest != NULL;
        if (digest) {
                r = make_key(setup, digest, setup->key, &own);
                if (r == 0)
                        r = take_known(setup, &own);
        }
        if (r > 0 && (r = hold_against_base(setup, on_known_looked_at, &own)) == 0)
                return;
        if (r < 0)
                fail(setup, &own, NULL);
        else
                run_or_fail(setup);
}

static int ask_key(SetupLayer *setup, Error *err) {
        const SetupMatchSpec spec = { .spec = setup->spec,
                                      .base = &setup->base,
                                      .owner_uid = setup->owner_uid,
                                      .done = on_key,
                                      .userdata = setup };

        return setup_match_start(setup->front, &spec, &setup->match, err);
}

static SetupLayer *setup_layer_new(Front *front, Holds *holds, const SetupLayerSpec *spec) {
        const JailLimits *limits = spec->root.limits;
        SetupLayer *setup = calloc(1, sizeof(*setup));

        if (!setup)
                return NULL;
        *setup = (SetupLayer){ .front = front,
                               .holds = holds,
                               .root = spec->root,
                               .base = *spec->root.layers,
                               .spec = spec->spec,
                               .owner_uid = spec->root.owner_uid,
                               .max_disk = limits ? layer_disk_bytes(limits->plan.disk_bytes,
                                                                     limits->plan.inodes)
                                                  : GATE_IMPORT_BYTES,
                               .event = spec->event,
                               .done = spec->done,
                               .userdata = spec->userdata };
        setup->root.layers = &setup->base;
        memcpy(setup->snapshot, spec->snapshot, DIGEST_SIZE);
        memcpy(setup->policy, spec->policy, DIGEST_SIZE);
        return setup;
}

int setup_layer_get(Front *front, Holds *holds, const SetupLayerSpec *spec, uint8_t *ret_digest,
                    SetupLayer **ret, Error *err) {
        SCOPED(setup_layer_free) SetupLayer *setup = setup_layer_new(front, holds, spec);
        int r;

        if (!setup)
                return error_set(err, -ENOMEM, "make the setup layer");
        r = make_key(setup, NULL, setup->key, err);
        if (r == 0)
                r = take_known(setup, err);
        if (r > 0)
                memcpy(ret_digest, setup->layer, DIGEST_SIZE);
        if (r != 0)
                return r;
        r = setup_match_is_keyed(setup->spec) ? ask_key(setup, err) : run(setup, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(setup);
        return 0;
}

SetupLayer *setup_layer_cancel(SetupLayer *setup) {
        if (!setup)
                return NULL;
        setup->match = setup_match_cancel(setup->match);
        setup->run = spec_run_cancel(setup->run);
        setup->import = hold_import_cancel(setup->import);
        return setup_layer_free(setup);
}

/*
 * work-base: see work-base.h.
 */
#include "supervisor/front/gate/work-base.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/tasks.h"

#define ROOM_FLOOR (1ull << 30)

struct WorkBaseJob {
        Front *front; /* borrowed, like holds */
        Holds *holds;
        WorkBaseSpec spec; /* tar_fd and limits are not valid any more */
        JailLimits limits;
        bool has_limits;
        bool hit_limit; /* a command of setup did */
        WorkBase base;
        int held_fd;            /* owned: until it is unpacked */
        HoldImport *import;     /* owned: while it unpacks */
        SetupLayer *setup;      /* owned: while setup runs */
        sd_event_source *later; /* owned: where the base is there already */
        bool has_name;
        uint8_t name[DIGEST_SIZE];
};

static const char *const phases[][2] = {
        [WORK_UNPACK] = { "unpack", "base_refused" },
        [WORK_HELD] = { "unpack-held", "held_refused" },
        [WORK_SETUP] = { "setup", "setup_failed" },
};

const char *work_phase_name(WorkPhase phase) {
        return phases[phase][0];
}

const char *work_refusal_name(WorkPhase phase) {
        return phases[phase][1];
}

static WorkBaseJob *job_free(WorkBaseJob *job) {
        if (!job)
                return NULL;
        work_base_release(job->holds, &job->base);
        sd_event_source_disable_unref(job->later);
        owned_close(&job->held_fd);
        free(job);
        return NULL;
}
DEFINE_SCOPED(WorkBaseJob *, job_free);

void work_base_release(Holds *holds, WorkBase *base) {
        if (base->has_setup)
                hold_drop(holds, base->setup, base->owner_uid);
        if (base->has_held)
                hold_drop(holds, base->held, base->owner_uid);
        if (base->has_base)
                hold_drop(holds, base->base, base->owner_uid);
        *base = (WorkBase){ 0 };
}

GateLayers work_base_layers(const WorkBase *base, bool with_setup) {
        GateLayers layers = { .n = 0 };

        if (with_setup && base->has_setup)
                gate_layers_add(&layers, base->setup);
        gate_layers_add(&layers, base->base);
        return layers;
}

static void succeed(WorkBaseJob *job) {
        SCOPED(job_free) WorkBaseJob *owned = job;
        WorkBase base = job->base;
        WorkBaseEnd end = { .base = &base };

        job->base = (WorkBase){ 0 }; /* the receiver holds them now */
        job->spec.done(&end, job->spec.userdata);
        (void) owned;
}

static void fail(WorkBaseJob *job, const WorkBaseEnd *end) {
        SCOPED(job_free) WorkBaseJob *owned = job;

        job->spec.done(end, job->spec.userdata);
        (void) owned;
}

/* ---- setup --------------------------------------------------------------------------------------- */

static void on_setup(const uint8_t *digest, const Error *err, const char *detail, void *userdata) {
        WorkBaseJob *job = userdata;
        WorkBaseEnd end = { .err = err,
                            .phase = WORK_SETUP,
                            .refused = detail || job->hit_limit,
                            .limit = job->hit_limit,
                            .detail = detail };

        job->setup = NULL;
        if (err) {
                fail(job, &end);
                return;
        }
        memcpy(job->base.setup, digest, DIGEST_SIZE);
        job->base.has_setup = true;
        succeed(job);
}

static void on_setup_command(const char *id, const RunCommand *command, void *userdata) {
        WorkBaseJob *job = userdata;

        if (command && cause_is_limit(command->cause))
                job->hit_limit = true;
        if (job->spec.setup)
                job->spec.setup(id, command, job->spec.userdata);
}

static int ask_setup(WorkBaseJob *job, Error *err) {
        GateLayers layers = work_base_layers(&job->base, false);
        PolicyHold policy;
        uint8_t snapshot[DIGEST_SIZE];
        SnapshotInfo info;
        SetupLayerSpec spec = { .root = { .snapshot = job->spec.snapshot,
                                          .policy = job->spec.policy,
                                          .limits = job->has_limits ? &job->limits : NULL,
                                          .layers = &layers,
                                          .owner_uid = job->spec.owner_uid },
                                .spec = job->spec.spec,
                                .snapshot = snapshot,
                                .event = on_setup_command,
                                .done = on_setup,
                                .userdata = job };
        int r;

        r = policies_hold(job->front->policies, job->spec.policy, &policy, err);
        if (r < 0)
                return r;
        r = snapshots_find(job->front, job->spec.snapshot, job->spec.owner_uid, &info, err);
        if (r < 0)
                return r;
        snapshots_digest(&info, snapshot);
        spec.policy = policy.digest;
        return setup_layer_get(job->front, job->holds, &spec, job->base.setup, &job->setup, err);
}

static void start_setup(WorkBaseJob *job) {
        Error err = ERROR_EMPTY;
        WorkBaseEnd end = { .err = &err, .phase = WORK_SETUP };
        int r;

        if (job->spec.spec->n_setup == 0) {
                succeed(job);
                return;
        }
        if (job->spec.phase)
                job->spec.phase(WORK_SETUP, job->spec.userdata);
        r = ask_setup(job, &err);
        if (r < 0) {
                fail(job, &end);
        } else if (r > 0) {
                job->base.has_setup = true;
                succeed(job);
        }
}

static void start_held(WorkBaseJob *job);

/* ---- a base that is there already ---------------------------------------------------------------- */

static int on_later(sd_event_source *source, void *userdata) {
        (void) source;
        start_held(userdata);
        return 0;
}

/* Not from within the call that asks */
static int start_known(WorkBaseJob *job, Error *err) {
        int r = hold_take(job->holds, job->spec.base, job->spec.owner_uid, err);

        if (r < 0)
                return r;
        memcpy(job->base.base, job->spec.base, DIGEST_SIZE);
        job->base.has_base = true;
        job->spec.base = NULL;
        r = sd_event_add_defer(job->front->event, &job->later, on_later, job);
        return r < 0 ? error_set(err, r, "take a base that is there") : 0;
}

/* One that an earlier verify unpacked, where there is one */
static int take_named(WorkBaseJob *job, Error *err) {
        uint8_t layer[DIGEST_SIZE];

        if (!job->has_name ||
            !base_cache_find(tasks_bases(job->front->tasks), job->base.owner_uid, job->name, layer))
                return 0;
        job->spec.base = layer;
        return start_known(job, err);
}

/*
 * What a base may take on disk, so that verifies side by side share what is left. A plain tar takes at most
 * nine times its size there: 512 bytes of it make an entry. What comes compressed, or through a pipe, says
 * nothing about its size: a file of it may have as much or a quarter of the rest, a pipe may have all.
 */
static uint64_t room_for(int tar, uint64_t left) {
        uint64_t most = layer_disk_bytes(GATE_IMPORT_BYTES, GATE_IMPORT_ENTRIES);
        uint64_t floor = left / 4 < ROOM_FLOOR ? left / 4 : ROOM_FLOOR, size;
        struct stat st;

        if (fstat(tar, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t) st.st_size < most / 9) {
                size = (uint64_t) st.st_size * 9;
                most = size > floor ? size : floor;
        }
        return most < left ? most : left;
}

static int start_import(WorkBaseJob *job, WorkPhase phase, int fd, HoldImportFn done, Error *err) {
        LayerImportSpec import = { .input_fd = fd,
                                   .prefix = "work",
                                   .to_jail_user = phase == WORK_UNPACK,
                                   .held = phase == WORK_HELD,
                                   .max_bytes = GATE_IMPORT_BYTES,
                                   .max_entries = GATE_IMPORT_ENTRIES,
                                   .owner_uid = job->base.owner_uid };
        uint64_t left;
        int r = snapshots_left(job->front, import.owner_uid, &left, err);

        if (r < 0)
                return r;
        import.max_disk = room_for(fd, left);
        if (job->spec.phase)
                job->spec.phase(phase, job->spec.userdata);
        return hold_import(job->holds, &import, done, job, &job->import, err);
}

static void on_held(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        WorkBaseJob *job = userdata;
        WorkBaseEnd end = { .err = err, .phase = WORK_HELD, .refused = refused };

        job->import = NULL;
        if (err) {
                fail(job, &end);
                return;
        }
        memcpy(job->base.held, import->digest, DIGEST_SIZE);
        job->base.has_held = true;
        start_setup(job);
}

static void start_held(WorkBaseJob *job) {
        Error err = ERROR_EMPTY;
        WorkBaseEnd end = { .err = &err, .phase = WORK_HELD };

        if (job->held_fd < 0)
                start_setup(job);
        else if (start_import(job, WORK_HELD, job->held_fd, on_held, &err) < 0)
                fail(job, &end);
}

static void on_import(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        WorkBaseJob *job = userdata;
        WorkBaseEnd end = { .err = err, .phase = WORK_UNPACK, .refused = refused };

        job->import = NULL;
        if (err) {
                fail(job, &end);
                return;
        }
        memcpy(job->base.base, import->digest, DIGEST_SIZE);
        job->base.bytes = layer_disk_bytes(import->bytes, import->entries);
        job->base.has_base = true;
        if (job->has_name)
                base_cache_put(tasks_bases(job->front->tasks), job->base.owner_uid, job->name,
                               job->base.base);
        start_held(job);
}

int work_base_start(Front *front, Holds *holds, const WorkBaseSpec *spec, WorkBaseJob **ret,
                    Error *err) {
        SCOPED(job_free) WorkBaseJob *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return error_set(err, -ENOMEM, "take in the base");
        *job = (WorkBaseJob){ .front = front,
                              .holds = holds,
                              .spec = *spec,
                              .has_limits = spec->limits != NULL,
                              .held_fd = -EBADF,
                              .base = { .owner_uid = spec->owner_uid } };
        if (spec->limits)
                job->limits = *spec->limits;
        if (spec->held_fd >= 0) {
                job->held_fd = fcntl(spec->held_fd, F_DUPFD_CLOEXEC, 3);
                if (job->held_fd < 0)
                        return error_set(err, -errno, "keep the held-back tests");
        }
        job->has_name = spec->name != NULL;
        if (spec->name)
                memcpy(job->name, spec->name, DIGEST_SIZE);
        job->spec.name = NULL;
        r = spec->base ? start_known(job, err) : take_named(job, err);
        if (r < 0)
                return r;
        if (job->later) {
                *ret = TAKE_PTR(job);
                return 0;
        }
        r = start_import(job, WORK_UNPACK, spec->tar_fd, on_import, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

WorkBaseJob *work_base_cancel(WorkBaseJob *job) {
        if (!job)
                return NULL;
        job->import = hold_import_cancel(job->import);
        job->setup = setup_layer_cancel(job->setup);
        return job_free(job);
}

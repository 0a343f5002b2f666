/*
 * patch-diff: see patch-diff.h. Both trees hold the base without the setup layer, so that the patch is one
 * against the repository: what a command changed in setup's files appears as files of its own.
 */
#include "supervisor/front/gate/patch-diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/units.h"
#include "supervisor/front/jails/jail-still.h"

struct PatchDiff {
        JailHold *hold; /* owned, like the next */
        FilesJob *job;
        int fd; /* owned: where the patch is written */
        uint8_t digest[DIGEST_SIZE];
        bool has_digest;
        uint64_t n_paths;
        PatchDiffDoneFn done;
        void *userdata;
};

static PatchDiff *patch_diff_free(PatchDiff *diff) {
        if (!diff)
                return NULL;
        jail_hold_free(diff->hold);
        owned_close(&diff->fd);
        free(diff);
        return NULL;
}
DEFINE_SCOPED(PatchDiff *, patch_diff_free);

static void on_record(const Record *record, void *userdata) {
        PatchDiff *diff = userdata;

        if (record->head.kind == RECORD_PATH)
                diff->n_paths++;
        if (record->head.kind == RECORD_DIGEST && record->head.flags == DIGEST_PATCH &&
            record->head.size == DIGEST_SIZE) {
                memcpy(diff->digest, record->data, DIGEST_SIZE);
                diff->has_digest = true;
        }
}

/* The job's jail is gone, so nothing writes any more; what it wrote is what it says, or nothing is */
static int check_patch(const PatchDiff *diff, PatchDiffEnd *end, Error *err) {
        char size[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
        struct stat st;
        int r;

        if (fstat(diff->fd, &st) < 0)
                return error_set(err, -errno, "look at the patch");
        if ((uint64_t) st.st_size > PATCH_MAX_BYTES)
                return error_say(
                        err, -EFBIG,
                        "the patch has %s, at most %s are taken: are build results in it that "
                        ".gitignore does not name?",
                        units_format_size((uint64_t) st.st_size, size),
                        units_format_size(PATCH_MAX_BYTES, most));
        r = memfd_add_seals(diff->fd);
        if (r < 0)
                return error_set(err, r, "seal the patch");
        r = digest_of_fd(diff->fd, end->digest, err);
        if (r < 0)
                return r;
        if (!diff->has_digest || memcmp(end->digest, diff->digest, DIGEST_SIZE) != 0)
                return error_say(err, -EPROTO,
                                 "the patch is not what warder-files says that it made");
        end->bytes = (uint64_t) st.st_size;
        if (lseek(diff->fd, 0, SEEK_SET) < 0) /* the offset is shared with who wrote it */
                return error_set(err, -errno, "go to the start of the patch");
        return 0;
}

static void on_done(const FilesJobEnd *job, void *userdata) {
        SCOPED(patch_diff_free) PatchDiff *diff = userdata;
        PatchDiffEnd end = { .err = job->err, .fd = -EBADF, .n_paths = diff->n_paths };
        Error err = ERROR_EMPTY;

        diff->hold = jail_hold_free(diff->hold);
        if (!end.err && check_patch(diff, &end, &err) < 0)
                end.err = &err;
        if (!end.err)
                end.fd = TAKE_FD(diff->fd);
        diff->done(&end, diff->userdata);
        owned_close(&end.fd);
}

static int fill_plan(Front *front, Plan *plan, const PatchDiffSpec *spec, Error *err) {
        uint64_t upper = spec->jail ? front_jail_handle(spec->jail) : 0;
        GateLayers work = { .n = 0 }, changed;
        GateView views[] = {
                { .target = VIEW_OLD, .layers = spec->layers },
                { .target = VIEW_NEW, .layers = &changed, .upper = upper },
                { .target = VIEW_UPPER, .layers = &work, .upper = upper },
        };
        int r;

        if (!upper)
                return error_say(err, -ESRCH, "the task's jail has ended");
        if (spec->work)
                gate_layers_add(&work, spec->work);
        changed = work;
        for (unsigned i = 0; i < spec->layers->n; i++)
                gate_layers_add(&changed, spec->layers->digests[i]);
        r = gate_files_plan(front, plan, err);
        for (unsigned i = 0; r == 0 && i < ELEMENTS(views); i++)
                r = gate_view(plan, &views[i], err);
        return r;
}

static int start_job(Front *front, PatchDiff *diff, const PatchDiffPlan *plan, Error *err) {
        const char *const argv[] = { "diff", "--", plan->dir, NULL };
        FilesJobSpec job = { .argv = argv,
                             .plan = *plan->plan,
                             .fds = plan->fds,
                             .n_fds = plan->n_fds,
                             .input_fd = -EBADF,
                             .output_fd = diff->fd,
                             .owner_uid = plan->owner_uid };
        int r = jail_hold_new(plan->jail, &diff->hold, err);

        return r < 0 ? r : files_job_start(front, &job, on_record, on_done, diff, &diff->job, err);
}

int patch_diff_start_plan(Front *front, const PatchDiffPlan *plan, PatchDiff **ret, Error *err) {
        SCOPED(patch_diff_free) PatchDiff *diff = calloc(1, sizeof(*diff));
        int r;

        if (!diff)
                return error_set(err, -ENOMEM, "make a patch");
        *diff = (PatchDiff){ .done = plan->done, .userdata = plan->userdata };
        diff->fd = memfd_new("patch", false, err);
        if (diff->fd < 0)
                return diff->fd;
        r = start_job(front, diff, plan, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(diff);
        return 0;
}

int patch_diff_start(Front *front, const PatchDiffSpec *spec, PatchDiff **ret, Error *err) {
        Plan plan;
        const PatchDiffPlan whole = { .jail = spec->jail,
                                      .plan = &plan,
                                      .dir = "work",
                                      .owner_uid = spec->owner_uid,
                                      .done = spec->done,
                                      .userdata = spec->userdata };
        int r = fill_plan(front, &plan, spec, err);

        return r < 0 ? r : patch_diff_start_plan(front, &whole, ret, err);
}

PatchDiff *patch_diff_cancel(PatchDiff *diff) {
        if (!diff)
                return NULL;
        files_job_cancel(diff->job);
        return patch_diff_free(diff);
}

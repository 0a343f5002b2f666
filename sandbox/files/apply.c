/* apply: see apply.h. */
#include "sandbox/files/apply.h"

#include <errno.h>

#include "base/digest.h"
#include "base/owned.h"
#include "sandbox/files/apply-plan.h"
#include "sandbox/files/apply-result.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/fingerprint.h"
#include "sandbox/files/hold.h"
#include "sandbox/files/protect.h"
#include "sandbox/files/remarks.h"
#include "sandbox/files/tree-write.h"

static int write_file(const ApplyJob *job, const PatchFile *file, Report *report, Error *err) {
        const TreePair trees = { job->tree, job->old };
        autofree char *bytes = NULL;
        PatchSide result = { 0 };
        struct stat st;
        bool had;
        int r;

        if (!file->new_path)
                return 0;
        r = apply_result(job->old, file, report, &result, &bytes, err);
        if (r < 0)
                return r;
        had = file->old_path && beneath_stat(job->old, file->old_path, &st) == 0;
        return tree_write(&trees, file->new_path, &result, had ? &st : NULL, err);
}

/* All that goes away goes first: then there is room for what comes in its place. */
static int write_all(const ApplyJob *job, const ApplyPlan *plan, Error *err) {
        const Patch *patch = plan->patch;
        unsigned i;
        int r = 0;

        for (i = 0; i < patch->n_files && r >= 0; i++)
                if (patch->files[i].old_path &&
                    table_find(plan->removed, patch->files[i].old_path) && !patch->files[i].copy)
                        r = tree_remove(job->tree, patch->files[i].old_path, err);
        for (i = 0; i < patch->n_files && r >= 0; i++)
                r = write_file(job, &patch->files[i], plan->report, err);
        return r;
}

/* Nothing but the paths that the plan names was touched since the base was listed. */
static int digest_changed(const ApplyJob *job, const ApplyPlan *plan, uint8_t *ret_value,
                          Error *err) {
        autofree const char **paths = calloc(2 * (size_t) plan->patch->n_files + 1, sizeof(char *));
        unsigned n = 0;

        if (!paths)
                return error_set(err, -ENOMEM, "take the digest of the tree");
        for (unsigned i = 0; i < plan->patch->n_files; i++) {
                if (plan->patch->files[i].old_path)
                        paths[n++] = plan->patch->files[i].old_path;
                if (plan->patch->files[i].new_path)
                        paths[n++] = plan->patch->files[i].new_path;
        }
        return fingerprint_changed(job->tree, job->listing, paths, n, ret_value, err);
}

static int report_tree(const ApplyJob *job, const ApplyPlan *plan, Error *err) {
        uint8_t value[DIGEST_SIZE];
        int r = job->shielded ? digest_changed(job, plan, value, err)
                              : fingerprint_tree(job->tree, value, err);

        if (r < 0)
                return r;
        r = report_digest(plan->report, DIGEST_TREE, value);
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

static int apply_patch(const ApplyJob *job, const Patch *patch, Report *report, Error *err) {
        Protect protect = { .old = job->old,
                            .tree = job->tree,
                            .setup = job->setup,
                            .protect = &job->protect,
                            .allow = &job->allow,
                            .report = report };
        ApplyPlan plan = { 0 };
        int r = apply_plan_make(&plan, job->old, patch, report, err);

        if (r >= 0 && !job->check_only) {
                r = write_all(job, &plan, err);
                if (r >= 0)
                        r = report_tree(job, &plan, err);
                if (r >= 0)
                        r = protect_run(&protect, &plan, err);
                if (r >= 0)
                        r = job->shielded ? hold_changed(&protect, &plan, err)
                                          : hold_run(&protect, err);
        }
        apply_plan_deinit(&plan);
        return r;
}

int apply_run(const ApplyJob *job, Report *report, Error *err) {
        Patch patch = PATCH_EMPTY;
        uint8_t value[DIGEST_SIZE];
        const RemarksJob remarks = { .patch = &patch, .old = job->old, .scope = &job->scope };
        PatchPart part = job->part;
        int r;

        part.protect = &job->protect;
        part.rules = &job->rules;
        r = patch_read(job->patch, job->patch_at, &patch, report, err);
        if (r >= 0) {
                digest_of(patch.text, patch.n, value);
                r = report_digest(report, DIGEST_PATCH, value);
        }
        if (r >= 0 && part.list > 0)
                r = patch_part_list(&patch, &part, report, err);
        if (r >= 0 && job->remark)
                r = remarks_run(&remarks, report, err);
        if (r >= 0)
                r = patch_part_take(&patch, &part, err);
        if (r >= 0)
                r = apply_patch(job, &patch, report, err);
        patch_deinit(&patch);
        return r;
}

/* apply-plan: see apply-plan.h. */
#include "sandbox/files/apply-plan.h"

#include <errno.h>
#include <string.h>

#include "sandbox/files/apply-result.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/emptied.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

void apply_plan_deinit(ApplyPlan *plan) {
        table_free(plan->removed);
        table_free(plan->changed);
        table_free(plan->results);
        free(plan->changes);
        *plan = (ApplyPlan){ 0 };
}

/* @mode is what the patch's header says of the path, 0 where it says nothing. */
static int remember(Table *table, const char *path, unsigned mode, Error *err) {
        const EntryMeta meta = { .kind = ENTRY_FILE, .mode = (uint16_t) mode };
        Entry *entry = NULL;
        int r = table_add(table, path, &meta, &entry);

        return r < 0 ? error_set(err, r, "remember the paths of the patch") : 0;
}

static int twice(ApplyPlan *plan, const char *path) {
        return report_refuse(plan->report, RULE_PATCH_TWICE, path,
                             "the patch changes the path twice");
}

/* Does this change take its old path away. */
static bool removes(const PatchFile *file) {
        return file->old_path && !file->copy &&
               (!file->new_path || strcmp(file->old_path, file->new_path) != 0);
}

static int note_paths(ApplyPlan *plan, const PatchFile *file, Error *err) {
        int r = 0;

        if (file->old_path && !file->copy) {
                if (table_find(plan->removed, file->old_path) ||
                    table_find(plan->changed, file->old_path))
                        return twice(plan, file->old_path);
                r = remember(removes(file) ? plan->removed : plan->changed, file->old_path,
                             file->old_mode, err);
        }
        if (r >= 0 && file->new_path) {
                if (table_find(plan->results, file->new_path))
                        return twice(plan, file->new_path);
                r = remember(plan->results, file->new_path, file->new_mode, err);
        }
        return r;
}

/*
 * Does the patch take a file or a link of the base away, so that there is room for a directory. A link has to
 * be called one in its own header: git refuses a link that is renamed without a mode, and so do we.
 */
static bool goes_away(const ApplyPlan *plan, const char *path, const struct stat *st) {
        const Entry *entry = table_find(plan->removed, path);

        return entry && (!S_ISLNK(st->st_mode) || entry->meta.mode == PATCH_MODE_LINK);
}

/* No parent of a path may be a file or a link, unless the patch takes it away and puts nothing in its place. */
static int check_parents(ApplyPlan *plan, const char *path) {
        char parent[NAME_PATH_MAX];
        struct stat st;
        size_t n;

        for (n = strcspn(path, "/"); path[n]; n += 1 + strcspn(path + n + 1, "/")) {
                memcpy(parent, path, n);
                parent[n] = 0;
                if (table_find(plan->results, parent))
                        return report_refuse(
                                plan->report, RULE_THROUGH_LINK, path,
                                "the patch makes a file or a link of its parent \"%s\"", parent);
                if (beneath_stat(plan->old, parent, &st) < 0)
                        return 0;
                if (S_ISDIR(st.st_mode))
                        continue;
                if (!goes_away(plan, parent, &st))
                        return report_refuse(plan->report, RULE_THROUGH_LINK, path,
                                             "its parent \"%s\" is a file or a link of the base",
                                             parent);
                return 0;
        }
        return 0;
}

/* May something be made at a path where the patch does not say that something was. */
static int check_place(ApplyPlan *plan, const char *path, Error *err) {
        struct stat st;
        int r = beneath_stat(plan->old, path, &st);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_set(err, r, "look at a path of the base");
        if (!S_ISDIR(st.st_mode)) {
                if (table_find(plan->removed, path))
                        return 0;
                return report_refuse(plan->report, RULE_PATCH_MISFIT, path,
                                     "the patch makes it, but the base has it already");
        }
        r = emptied_is(plan->old, path, plan->removed);
        if (r < 0)
                return error_set(err, r, "look at a directory of the base");
        if (r == 0)
                return report_refuse(
                        plan->report, RULE_PATCH_MISFIT, path,
                        "the base has a directory there, and the patch leaves files in it");
        return 0;
}

static int add_change(ApplyPlan *plan, const char *path, PathChange change, unsigned mode) {
        plan->changes[plan->n_changes++] =
                (ApplyChange){ .path = path, .change = change, .mode = mode };
        return report_path(plan->report, RECORD_PATH, change, mode, path);
}

/* What happened to the two paths of one file, against the base and with the rest of the patch in mind. */
static int list_changes(ApplyPlan *plan, const PatchFile *file, const PatchSide *result) {
        bool in_base = file->new_path && (table_find(plan->removed, file->new_path) ||
                                          table_find(plan->changed, file->new_path));
        int r = 0;

        if (removes(file) && !table_find(plan->results, file->old_path))
                r = add_change(plan, file->old_path, PATH_DELETED, 0);
        if (r < 0 || !file->new_path)
                return r;
        if (!in_base)
                return add_change(plan, file->new_path, PATH_ADDED, result->mode);
        return add_change(plan, file->new_path,
                          file->body.n > 0 || removes(file) || !file->old_path ? PATH_MODIFIED
                                                                               : PATH_MODE,
                          result->mode);
}

static int check_file(ApplyPlan *plan, const PatchFile *file, Error *err) {
        bool makes = file->new_path && (!file->old_path || file->copy || removes(file));
        autofree char *bytes = NULL;
        PatchSide result = { 0 };
        int r = 0;

        if (file->old_path &&
            beneath_stat(plan->old, file->old_path, &(struct stat){ 0 }) == -ENOENT)
                return report_refuse(plan->report, RULE_PATCH_MISFIT, file->old_path,
                                     "the base has no such file");
        if (file->new_path)
                r = check_parents(plan, file->new_path);
        if (r >= 0 && makes)
                r = check_place(plan, file->new_path, err);
        if (r >= 0)
                r = apply_result(plan->old, file, plan->report, &result, &bytes, err);
        if (r >= 0 && (r = list_changes(plan, file, &result)) < 0)
                r = error_set(err, r, "write a record");
        return r;
}

int apply_plan_make(ApplyPlan *plan, int old, const Patch *patch, Report *report, Error *err) {
        uint64_t most = 2 * (uint64_t) patch->n_files + 1;
        unsigned i;
        int r;

        *plan = (ApplyPlan){ .old = old, .patch = patch, .report = report };
        plan->changes = calloc(most, sizeof(ApplyChange));
        r = plan->changes ? table_new(most, &plan->removed) : -ENOMEM;
        if (r >= 0)
                r = table_new(most, &plan->changed);
        if (r >= 0)
                r = table_new(most, &plan->results);
        if (r < 0)
                return error_set(err, r, "plan the patch");
        for (i = 0; i < patch->n_files && r >= 0; i++)
                r = note_paths(plan, &patch->files[i], err);
        for (i = 0; i < patch->n_files && r >= 0; i++)
                r = check_file(plan, &patch->files[i], err);
        return r;
}

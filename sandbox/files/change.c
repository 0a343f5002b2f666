/*
 * change: see change.h. The base is only what the patch touches, so what is said of directories (is there
 * room for a file in its place) is said of a part of the tree: who writes the result looks again.
 */
#include "sandbox/files/change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "sandbox/files/apply-plan.h"
#include "sandbox/files/apply-result.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/unpack.h"

#define ARCHIVE_BYTES   (2ull << 30)
#define ARCHIVE_ENTRIES (4ull * PATCH_FILES_MAX)

/* A name that the record cannot hold whole would be another name. */
static int write_change(PathChange change, const char *path, const PatchSide *result, Error *err) {
        RecordHead head = {
                .kind = RECORD_CHANGE, .flags = change, .a = result->mode, .b = result->content.n
        };
        int r = record_write(STDOUT_FILENO, &head, path, strlen(path));

        if (r >= 0 && result->content.n > 0)
                r = fd_write_all(STDOUT_FILENO, result->content.bytes, result->content.n);
        return r < 0 ? error_set(err, r, "write a change") : 0;
}

static int name_one(const PatchFile *file, Error *err) {
        const PatchSide old = { .mode = file->old_mode }, new = { .mode = file->new_mode };
        int r = 0;

        if (file->old_path)
                r = write_change(file->new_path ? PATH_MODIFIED : PATH_DELETED, file->old_path,
                                 &old, err);
        if (r >= 0 && file->new_path &&
            (!file->old_path || strcmp(file->old_path, file->new_path) != 0))
                r = write_change(PATH_ADDED, file->new_path, &new, err);
        return r;
}

int change_names(Report *report, Error *err) {
        Patch patch = PATCH_EMPTY;
        int r = patch_read(STDIN_FILENO, PATCH_AT_HERE, &patch, report, err);

        for (unsigned i = 0; r >= 0 && i < patch.n_files; i++)
                r = name_one(&patch.files[i], err);
        patch_deinit(&patch);
        return r;
}

/* What the plan says of deletions, then each file as the patch makes it. */
static int write_changes(const ApplyPlan *plan, Report *report, Error *err) {
        static const PatchSide nothing = { 0 };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < plan->n_changes; i++)
                if (plan->changes[i].change == PATH_DELETED)
                        r = write_change(PATH_DELETED, plan->changes[i].path, &nothing, err);
        for (unsigned i = 0; r >= 0 && i < plan->patch->n_files; i++) {
                const PatchFile *file = &plan->patch->files[i];
                autofree char *bytes = NULL;
                PatchSide result = { 0 };

                if (!file->new_path)
                        continue;
                r = apply_result(plan->old, file, report, &result, &bytes, err);
                if (r >= 0)
                        r = write_change(PATH_MODIFIED, file->new_path, &result, err);
        }
        return r;
}

static int unpack(int room, Report *report, Error *err) {
        const UnpackJob job = { .in = STDIN_FILENO,
                                .out = room,
                                .below = -EBADF,
                                .limits = { .bytes = ARCHIVE_BYTES, .entries = ARCHIVE_ENTRIES },
                                .owner = 0 };

        return unpack_run(&job, report, err);
}

int change_run(int room, Report *report, Error *err) {
        autoclose int text = -EBADF, base = -EBADF;
        Patch patch = PATCH_EMPTY;
        ApplyPlan plan = { 0 };
        int r = unpack(room, report, err);

        if (r < 0)
                return r;
        text = beneath_open(room, CHANGE_PATCH, O_RDONLY, 0);
        base = beneath_dir(room, CHANGE_BASE);
        if (text < 0 || base < 0)
                return error_set(err, text < 0 ? text : base, "find the patch and its files");
        r = patch_read(text, PATCH_AT_HERE, &patch, report, err);
        if (r >= 0)
                r = apply_plan_make(&plan, base, &patch, report, err);
        if (r >= 0)
                r = write_changes(&plan, report, err);
        apply_plan_deinit(&plan);
        patch_deinit(&patch);
        return r;
}

/*
 * merge: see merge.h. The trees are read twice: first to learn which paths go away in ours, so that it is known
 * where there will be room for a file or a directory, then to write, with one path in memory at a time.
 */
#include "sandbox/files/merge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/emptied.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/merge-sides.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

typedef struct Merge {
        const MergeJob *job;
        Report *report; /* borrowed */
        Table *gone;    /* owned: paths of ours that go away */
        bool looking;
        uint64_t bytes;
        uint64_t paths;
} Merge;

static int read_ours(Merge *merge, const char *path, PatchSide *ret_side, char **ret_bytes,
                     Error *err) {
        int r = side_read(merge->job->tree, path, ret_side, ret_bytes);

        if (r == -EFBIG)
                return report_refuse(merge->report, RULE_FILE_SIZE, path,
                                     "both sides changed it, and it is larger than %u MiB",
                                     PATCH_FILE_MAX >> 20);
        return r < 0 ? error_set(err, r, "read a file of our tree") : 0;
}

/* ---- room ---------------------------------------------------------------------------------------- */

/* Is there room for a file or a link that ours does not have. Returns: 1, 0, negative errno */
static int has_room(const Merge *merge, const char *path) {
        char parent[NAME_PATH_MAX];
        struct stat st;
        size_t n;
        int r;

        for (n = strcspn(path, "/"); path[n]; n += 1 + strcspn(path + n + 1, "/")) {
                memcpy(parent, path, n);
                parent[n] = 0;
                r = beneath_stat(merge->job->tree, parent, &st);
                if (r < 0)
                        return r == -ENOENT ? 1 : r;
                if (!S_ISDIR(st.st_mode))
                        return table_find(merge->gone, parent) != NULL;
        }
        r = beneath_stat(merge->job->tree, path, &st);
        if (r < 0)
                return r == -ENOENT ? 1 : r;
        /* what a patch cannot hold (a socket, say) is in the way as well */
        return S_ISDIR(st.st_mode) ? emptied_is(merge->job->tree, path, merge->gone) : 0;
}

/* ---- one path ------------------------------------------------------------------------------------ */

static int write_entry(Merge *merge, const char *path, const PatchSide *side, Error *err) {
        char line[NAME_PATH_MAX + 48];
        int n = snprintf(line, sizeof(line), "%06o %zu %s\n", side->mode, side->content.n, path);
        int r;

        merge->bytes += (uint64_t) n + side->content.n;
        merge->paths++;
        if (merge->bytes > MERGE_BYTES_MAX || merge->paths > MERGE_PATHS_MAX)
                return report_refuse(merge->report, RULE_FILE_SIZE, path,
                                     "with it the merge changes more than %u MiB or %u files",
                                     MERGE_BYTES_MAX >> 20, MERGE_PATHS_MAX);
        r = fd_write_all(merge->job->diff.out, line, (size_t) n);
        if (r >= 0 && side->content.n > 0)
                r = fd_write_all(merge->job->diff.out, side->content.bytes, side->content.n);
        if (r < 0)
                return error_set(err, r, "write the merge");
        return report_progress(merge->report, merge->bytes, merge->paths);
}

static int report_conflict(Merge *merge, const char *path, ConflictKind kind, unsigned mode) {
        return report_path(merge->report, RECORD_CONFLICT, kind, mode, path);
}

static int remember_gone(Merge *merge, const char *path, Error *err) {
        const EntryMeta meta = { .kind = ENTRY_FILE };
        Entry *entry = NULL;
        int r = table_find(merge->gone, path) ? 0 : table_add(merge->gone, path, &meta, &entry);

        if (r == -E2BIG)
                return report_refuse(merge->report, RULE_TOO_MANY_ENTRIES, path,
                                     "the merge takes away more than %u files", MERGE_PATHS_MAX);
        return r < 0 ? error_set(err, r, "remember the paths of the merge") : 0;
}

static PathChange change_of(const PatchSide *ours, const PatchSide *side) {
        if (!ours->mode)
                return PATH_ADDED;
        return side->mode ? PATH_MODIFIED : PATH_DELETED;
}

/* The last pass: what comes or changes, and all that is told of the path. */
static int land(Merge *merge, const char *path, const PatchSide *ours, Merged *merged, Error *err) {
        int r = 1;

        if (!ours->mode && merged->side.mode) {
                r = has_room(merge, path);
                if (r < 0)
                        return error_set(err, r, "look for room in our tree");
                if (r == 0)
                        return report_conflict(merge, path, CONFLICT_DIRECTORY, 0);
        }
        if (merged->conflict) {
                r = report_conflict(merge, path, merged->conflict, merged->side.mode);
                if (r < 0)
                        return r;
        }
        if (merge_same(ours, &merged->side))
                return 0;
        r = report_path(merge->report, RECORD_PATH, change_of(ours, &merged->side),
                        merged->side.mode, path);
        return r < 0 || !merged->side.mode ? r : write_entry(merge, path, &merged->side, err);
}

/* One that a command gave a file before the trees parted: a line of the result could not hold it. */
static bool has_clean_name(const Merge *merge, const char *path) {
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(path, strlen(path), clean);

        if (rule != RULE_NONE && !merge->looking)
                (void) report_note(merge->report, rule, path, "left out of the merge: %s",
                                   name_sentence(rule));
        return rule == RULE_NONE;
}

static int take(const char *path, const PatchSide *old, const PatchSide *new, void *userdata,
                Error *err) {
        Merge *merge = userdata;
        MergeSides sides = { .base = *old, .theirs = *new };
        autofree char *bytes = NULL;
        Merged merged = MERGED_EMPTY;
        int r;

        if (merge_same(old, new) || !has_clean_name(merge, path))
                return 0;
        r = read_ours(merge, path, &sides.ours, &bytes, err);
        if (r >= 0)
                r = merge_sides(&sides, &merged, err);
        if (r < 0)
                return r;
        if (!merge->looking)
                r = land(merge, path, &sides.ours, &merged, err);
        else if (sides.ours.mode && !merged.side.mode)
                r = remember_gone(merge, path, err);
        merged_deinit(&merged);
        return r;
}

static int write_gone(Merge *merge, Error *err) {
        static const PatchSide nothing = { 0 };
        autofree Entry **entries = NULL;
        int r = table_sorted(merge->gone, &entries);

        if (r < 0)
                return error_set(err, r, "sort the paths that go away");
        for (uint64_t i = 0; i < table_count(merge->gone) && r >= 0; i++)
                r = write_entry(merge, entries[i]->path, &nothing, err);
        return r;
}

static int run_passes(Merge *merge, Error *err) {
        DiffJob diff = merge->job->diff;
        int r;

        diff.quiet = merge->looking = true;
        r = diff_walk(&diff, merge->report, take, merge, err);
        if (r >= 0)
                r = write_gone(merge, err);
        if (r < 0)
                return r;
        diff.quiet = merge->looking = false;
        return diff_walk(&diff, merge->report, take, merge, err);
}

int merge_run(const MergeJob *job, Report *report, Error *err) {
        Merge merge = { .job = job, .report = report };
        int r = table_new(MERGE_PATHS_MAX, &merge.gone);

        if (r < 0)
                return error_set(err, r, "start a merge");
        r = run_passes(&merge, err);
        merge.gone = table_free(merge.gone);
        return r < 0 ? r : report_numbers(report, RECORD_TOTALS, merge.bytes, merge.paths);
}

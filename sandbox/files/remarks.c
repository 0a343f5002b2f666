/* remarks: see remarks.h. */
#include "sandbox/files/remarks.h"

#include <stdio.h>
#include <string.h>

#include "base/danger.h"
#include "base/owned.h"
#include "sandbox/files/patch-hunk.h"
#include "sandbox/files/patch-write.h"
#include "sandbox/files/remark-line.h"
#include "sandbox/files/side.h"

typedef struct Remarks {
        const RemarksJob *job;
        Report *report; /* borrowed */
        uint64_t told[_REMARK_CHECK_MAX];
} Remarks;

static int tell(Remarks *remarks, RemarkCheck check, const char *path, uint64_t line,
                const char *what) {
        char data[RECORD_DATA_MAX];
        RecordHead head = { .kind = RECORD_REMARK, .flags = check, .b = line };
        int n;

        if (++remarks->told[check] > REMARKS_MAX)
                return 0;
        n = snprintf(data, sizeof(data), "%.4096s%c%s", path, 0, what);
        return report_bytes(remarks->report, &head, data, (size_t) n);
}

/* ---- lines --------------------------------------------------------------------------------------- */

static int look_at_line(Remarks *remarks, RemarkLine *line, uint64_t number) {
        Remark found[REMARKS_A_LINE];
        unsigned n = remarks_of_line(line, found);
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = tell(remarks, found[i].check, line->path, number, found[i].what);
        return r;
}

static int look_at_hunk(Remarks *remarks, RemarkLine *line, const PatchHunk *hunk) {
        uint64_t number = hunk->new_pos;
        const char *at = hunk->lines;
        int r = 0;

        while (at < hunk->end && r >= 0) {
                const char *stop = memchr(at, '\n', (size_t) (hunk->end - at));
                size_t n = (size_t) ((stop ? stop : hunk->end) - at);

                if (n > 0 && *at == '+') {
                        line->text = (HunkBytes){ at + 1, n - 1 };
                        r = look_at_line(remarks, line, number);
                }
                number += n == 0 || *at == '+' || *at == ' ';
                at += n + (stop != NULL);
        }
        return r;
}

/* What cannot be read of the base (it is too large, say) was not there before: it costs a remark, not a verify. */
static HunkBytes read_before(const Remarks *remarks, const PatchFile *file, char **ret_bytes) {
        PatchSide side = { 0 };

        if (!file->old_path || side_read(remarks->job->old, file->old_path, &side, ret_bytes) < 0)
                return (HunkBytes){ 0 };
        return side.content;
}

static int look_at_lines(Remarks *remarks, const PatchFile *file) {
        autofree char *bytes = NULL;
        RemarkLine line = { .path = file->new_path };
        const char *at = file->body.bytes, *end = at + file->body.n;
        PatchHunk hunk;
        int r = 0;

        if (!file->new_path || file->binary || file->body.n == 0)
                return 0;
        line.before = read_before(remarks, file, &bytes);
        while (r >= 0 && at < end && hunk_is_head(at, end) && hunk_take(&at, end, &hunk) >= 0)
                r = look_at_hunk(remarks, &line, &hunk);
        return r;
}

/* ---- paths --------------------------------------------------------------------------------------- */

/* In the same directory or above it: a workspace's members share the lock file of its root, and the other way round */
static bool touches_manifest(const Patch *patch, const char *manifest) {
        size_t n = strlen(manifest);

        for (unsigned i = 0; i < patch->n_files; i++) {
                const PatchFile *file = &patch->files[i];
                const char *path = file->new_path ? file->new_path : file->old_path;
                size_t m = strlen(path);

                if (m >= n && strcmp(path + m - n, manifest) == 0 &&
                    (m == n || path[m - n - 1] == '/'))
                        return true;
        }
        return false;
}

static int look_at_path(Remarks *remarks, const char *path) {
        const char *slash = strrchr(path, '/');
        const char *manifest = remark_manifest(slash ? slash + 1 : path);
        const Globs *scope = remarks->job->scope;
        char what[160];
        int r = 0;

        if (manifest && !touches_manifest(remarks->job->patch, manifest)) {
                (void) snprintf(what, sizeof(what),
                                "the lock file changes though no %s does: who chose what it names?",
                                manifest);
                r = tell(remarks, REMARK_LOCK, path, 0, what);
        }
        if (r >= 0 && scope->n > 0 && !globs_match(scope, path))
                r = tell(remarks, REMARK_SCOPE, path, 0, "it lies outside of the task's scope");
        return r;
}

/* What is there when the patch is applied; what goes away runs no more */
static int look_at_result(Remarks *remarks, const PatchFile *file) {
        const char *runs = danger_unasked(file->new_path);
        unsigned mode = file->new_mode ? file->new_mode : file->old_mode; /* which it kept */
        char what[160];
        int r = 0;

        if (mode == PATCH_MODE_LINK)
                r = tell(remarks, REMARK_LINK, file->new_path, 0, "it is a link");
        if (r < 0 || !runs)
                return r;
        (void) snprintf(what, sizeof(what), "it %s", runs);
        return tell(remarks, REMARK_RUNS, file->new_path, 0, what);
}

static int look_at_file(Remarks *remarks, const PatchFile *file) {
        int r = 0;

        if (file->old_path && !file->copy &&
            (!file->new_path || strcmp(file->old_path, file->new_path) != 0))
                r = look_at_path(remarks, file->old_path);
        if (r >= 0 && file->new_path)
                r = look_at_path(remarks, file->new_path);
        if (r >= 0 && file->new_path)
                r = look_at_result(remarks, file);
        return r < 0 ? r : look_at_lines(remarks, file);
}

static int tell_of_more(Remarks *remarks) {
        char what[96];
        int r = 0;

        for (unsigned i = REMARK_NONE + 1; i < _REMARK_CHECK_MAX && r >= 0; i++) {
                uint64_t more = remarks->told[i] > REMARKS_MAX ? remarks->told[i] - REMARKS_MAX : 0;

                if (more == 0)
                        continue;
                remarks->told[i] = 0; /* room for this one */
                (void) snprintf(what, sizeof(what), "%llu more of these are not shown",
                                (unsigned long long) more);
                r = tell(remarks, (RemarkCheck) i, "", 0, what);
        }
        return r;
}

int remarks_run(const RemarksJob *job, Report *report, Error *err) {
        Remarks remarks = { .job = job, .report = report };
        int r = 0;

        for (unsigned i = 0; i < job->patch->n_files && r >= 0; i++)
                r = look_at_file(&remarks, &job->patch->files[i]);
        if (r >= 0)
                r = tell_of_more(&remarks);
        return r < 0 ? error_set(err, r, "write a remark") : 0;
}
